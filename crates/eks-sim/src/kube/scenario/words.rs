//! How numbers, quantities and words are written in a scenario.

use std::fmt;

use eks_provider::kube::{IntOrPercent, Quantity};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number or a percentage: `2`, `"2"`, `"30%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub IntOrPercent);

struct Reader;

impl de::Visitor<'_> for Reader {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a percentage, like 2 or 30%")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
        let number = u32::try_from(number).map_err(|_| E::custom("a number that is too large"))?;
        Ok(Number(IntOrPercent::Int(number)))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
        let number = u64::try_from(number).map_err(|_| E::custom("a number below 0"))?;
        self.visit_u64(number)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        text.parse().map(Number).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            IntOrPercent::Int(number) => serializer.serialize_u32(number),
            percent @ IntOrPercent::Percent(_) => serializer.collect_str(&percent),
        }
    }
}

/// A quantity, as Kubernetes writes it: `250m`, `1.5Gi`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuantityText(pub Quantity);

impl QuantityText {
    /// So many thousandths.
    pub fn milli(milli: i128) -> Self {
        Self(Quantity::from_milli(milli))
    }
}

struct QuantityReader;

impl de::Visitor<'_> for QuantityReader {
    type Value = QuantityText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity, like 2, 250m or 1.5Gi")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<QuantityText, E> {
        let number = i64::try_from(number).map_err(|_| E::custom("a quantity that is too large"))?;
        Ok(QuantityText(Quantity::from_units(number)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<QuantityText, E> {
        let quantity: Quantity = text.parse().map_err(E::custom)?;
        if quantity.milli() < 0 { Err(E::custom("a quantity below 0")) } else { Ok(QuantityText(quantity)) }
    }
}

impl<'de> Deserialize<'de> for QuantityText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityReader)
    }
}

impl Serialize for QuantityText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_string();
        match text.parse() {
            Ok(number) => serializer.serialize_u64(number),
            Err(_) => serializer.serialize_str(&text),
        }
    }
}

macro_rules! words {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $each:literal])* $variant:ident,)+ })+) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
            pub enum $name {
                $($(#[doc = $each])* $variant,)+
            }

            impl $name {
                /// The word of the API.
                pub fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => stringify!($variant),)+
                    }
                }
            }
        )+
    };
}

words! {
    /// How a workload is rolled.
    StrategyWord {
        /// A few Pods at a time.
        RollingUpdate,
        /// All old Pods go before the first new one comes (Deployments).
        Recreate,
        /// A Pod is made anew when somebody deletes it (StatefulSets, DaemonSets).
        OnDelete,
    }
    /// How a toleration is compared with a taint.
    OperatorWord {
        /// Key and value are the same.
        Equal,
        /// The key is there.
        Exists,
    }
    /// What a taint does.
    EffectWord {
        /// No new Pods.
        NoSchedule,
        /// No new Pods, where it can be.
        PreferNoSchedule,
        /// No new Pods, and those that are there go.
        NoExecute,
    }
    /// When a Pod that is not ready may be evicted.
    UnhealthyWord {
        /// While enough others are healthy.
        IfHealthyBudget,
        /// Always.
        AlwaysAllow,
    }
    /// What a Service is.
    ServiceWord {
        /// Reached in the cluster.
        ClusterIP,
        /// Reached at a port of each node.
        NodePort,
        /// Reached through a load balancer.
        LoadBalancer,
    }
    /// Where traffic from outside goes.
    TrafficWord {
        /// To all Pods.
        Cluster,
        /// To the Pods of the node that it comes to.
        Local,
    }
}
