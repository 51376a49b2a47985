//! Quantities of Kubernetes: `100m`, `1.5Gi`, `2e3`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// An amount of something, in thousandths. What is finer is rounded up, as Kubernetes does.
///
/// ```
/// use eks_provider::kube::Quantity;
/// let quantity = |text: &str| text.parse::<Quantity>().unwrap();
/// assert_eq!(quantity("100m"), Quantity::from_milli(100));
/// assert_eq!(quantity("1.5Gi").units(), 1_610_612_736);
/// assert!(quantity("1k") < quantity("1Ki"));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    milli: i128,
}

/// Amounts by resource: `cpu`, `memory`, `pods`, `nvidia.com/gpu`.
pub type Resources = BTreeMap<String, Quantity>;

impl Quantity {
    /// So many thousandths.
    pub const fn from_milli(milli: i128) -> Self {
        Self { milli }
    }

    /// So many units: bytes, CPUs, Pods.
    pub const fn from_units(units: i64) -> Self {
        Self { milli: units as i128 * 1000 }
    }

    /// In thousandths: what CPUs are counted in.
    pub const fn milli(self) -> i128 {
        self.milli
    }

    /// In units, rounded up: what bytes and Pods are counted in.
    pub const fn units(self) -> i128 {
        self.milli.div_euclid(1000) + if self.milli.rem_euclid(1000) == 0 { 0 } else { 1 }
    }

    /// Both together; the most that there is, where it is more.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self { milli: self.milli.saturating_add(other.milli) }
    }
}

/// In units, or in thousandths where that is no whole number.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.milli % 1000 == 0 { write!(f, "{}", self.milli / 1000) } else { write!(f, "{}m", self.milli) }
    }
}

/// A text that is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a quantity; write it like 500m, 2 or 1.5Gi")]
pub struct ParseQuantityError(String);

impl FromStr for Quantity {
    type Err = ParseQuantityError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let error = || ParseQuantityError(input.to_owned());
        let end =
            input.bytes().position(|b| !b.is_ascii_digit() && !b"+-.".contains(&b)).unwrap_or(input.len());
        let (number, suffix) = input.split_at(end);
        let negative = number.starts_with('-');
        let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && fraction.is_empty())
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return Err(error());
        }
        let (binary, exponent) = suffix_of(suffix).ok_or_else(error)?;
        // The value is mantissa × 10^ten × 2^binary thousandths.
        let mantissa: i128 = format!("{whole}{fraction}").parse().map_err(|_| error())?;
        let ten = exponent + 3 - i32::try_from(fraction.len()).map_err(|_| error())?;
        let scaled = mantissa.checked_mul(1_i128 << binary).ok_or_else(error)?;
        let milli = if ten >= 0 {
            let factor = 10_i128.checked_pow(ten.unsigned_abs()).ok_or_else(error)?;
            scaled.checked_mul(factor).ok_or_else(error)?
        } else {
            match 10_i128.checked_pow(ten.unsigned_abs()) {
                // Away from zero: less than was asked for is never enough.
                Some(divisor) => scaled / divisor + i128::from(scaled % divisor != 0),
                None => i128::from(scaled != 0),
            }
        };
        Ok(Self { milli: if negative { -milli } else { milli } })
    }
}

crate::text::by_text!(Quantity);

/// The powers of two and of ten that a suffix stands for.
fn suffix_of(suffix: &str) -> Option<(u32, i32)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (0, -9),
        "u" => (0, -6),
        "m" => (0, -3),
        "k" => (0, 3),
        "M" => (0, 6),
        "G" => (0, 9),
        "T" => (0, 12),
        "P" => (0, 15),
        "E" => (0, 18),
        "Ki" => (10, 0),
        "Mi" => (20, 0),
        "Gi" => (30, 0),
        "Ti" => (40, 0),
        "Pi" => (50, 0),
        "Ei" => (60, 0),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (0, Some(exponent).filter(|exponent| exponent.abs() <= 36)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_the_documentation_is_read() {
        for (text, milli) in [
            ("0", 0),
            ("1", 1000),
            ("+1", 1000),
            ("-1", -1000),
            ("1.", 1000),
            (".5", 500),
            ("0.1", 100),
            ("100m", 100),
            ("1.5m", 2),
            ("1n", 1),
            ("999u", 1),
            ("1001u", 2),
            ("-1500u", -2),
            ("2k", 2_000_000),
            ("1Ki", 1_024_000),
            ("1.5Gi", 1_610_612_736_000),
            ("16Ei", 16 * (1_i128 << 60) * 1000),
            ("12e6", 12_000_000_000),
            ("12E6", 12_000_000_000),
            ("1E", 1_000_000_000_000_000_000_000),
            ("129e-3", 129),
        ] {
            assert_eq!(text.parse(), Ok(Quantity::from_milli(milli)), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_by_name() {
        for text in ["", "m", "1K", "1ki", "1.2.3", "1-2", "--1", "e3", "1e", "1e99999", "1 Gi", "0x10", "١"]
        {
            let message = text.parse::<Quantity>().unwrap_err().to_string();
            assert!(message.contains(&format!("`{text}`")), "{message}");
        }
    }

    #[test]
    fn units_are_rounded_up() {
        for (milli, units) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (-1, 0), (-1500, -1)] {
            assert_eq!(Quantity::from_milli(milli).units(), units, "{milli}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(milli in -(1_i128 << 80)..(1_i128 << 80)) {
            let quantity = Quantity::from_milli(milli);
            prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
        }

        #[test]
        fn no_text_panics(text in "[-+.0-9eEkKMGimnu]{0,40}") {
            let _outcome: Result<Quantity, _> = text.parse();
        }
    }
}
