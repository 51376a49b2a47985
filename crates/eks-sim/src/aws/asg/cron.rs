//! When a scheduled action comes again: the five fields of cron, in UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Five fields of cron: minute, hour, day of the month, month, day of the week (0 or 7 is Sunday).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cron {
    minute: Vec<u8>,
    hour: Vec<u8>,
    day: Vec<u8>,
    month: Vec<u8>,
    weekday: Vec<u8>,
}

impl Cron {
    /// Reads `*`, numbers, ranges, lists and steps.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else { return None };
        Some(Self {
            minute: field(minute, 0, 59)?,
            hour: field(hour, 0, 23)?,
            day: field(day, 1, 31)?,
            month: field(month, 1, 12)?,
            weekday: field(weekday, 0, 7)?,
        })
    }

    /// The first such minute after a moment, within a year.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let mut second = after.as_second().div_euclid(60) * 60;
        for _ in 0..366 * 24 * 60 {
            second += 60;
            let moment = Timestamp::from_second(second).ok()?;
            let at = TimeZone::UTC.to_datetime(moment);
            let has = |list: &[u8], value: i8| u8::try_from(value).is_ok_and(|value| list.contains(&value));
            let sunday = at.weekday().to_sunday_zero_offset();
            let weekday = has(&self.weekday, sunday) || (sunday == 0 && self.weekday.contains(&7));
            if has(&self.minute, at.minute())
                && has(&self.hour, at.hour())
                && has(&self.day, at.day())
                && has(&self.month, at.month())
                && weekday
            {
                return Some(moment);
            }
        }
        None
    }
}

fn field(text: &str, first: u8, last: u8) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (first, last),
            Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
            None => {
                let one = range.parse().ok()?;
                (one, one)
            }
        };
        if from < first || to > last || from > to {
            return None;
        }
        all.extend((from..=to).step_by(step));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_found() {
        let now: Timestamp = "2026-11-24T16:13:20Z".parse().unwrap();
        for (cron, next) in [
            ("0 8 * * *", "2026-11-25T08:00:00Z"),
            ("*/15 * * * *", "2026-11-24T16:15:00Z"),
            ("30 16 * * 2", "2026-11-24T16:30:00Z"),
            ("0 0 1 1 *", "2027-01-01T00:00:00Z"),
            ("0 9-17 * * 1-5", "2026-11-24T17:00:00Z"),
            ("0 6 * * 7", "2026-11-29T06:00:00Z"),
        ] {
            assert_eq!(Cron::parse(cron).unwrap().next(now).unwrap().to_string(), next, "{cron}");
        }
        for wrong in ["", "* * * *", "60 * * * *", "* 24 * * *", "5-1 * * * *", "x * * * *", "*/0 * * * *"] {
            assert_eq!(Cron::parse(wrong), None, "{wrong}");
        }
    }
}
