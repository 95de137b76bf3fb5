//! Saved forms of shared texts.

use std::sync::Arc;

/// Names and values.
pub(crate) type Pairs = Arc<[(Arc<str>, Arc<str>)]>;

/// For `#[serde(with)]`: labels as a list of pairs.
pub(crate) mod labels {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use vigie_promql::Labels;

    pub(crate) fn serialize<S: Serializer>(labels: &Labels, to: S) -> Result<S::Ok, S::Error> {
        labels.iter().collect::<Vec<_>>().serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Labels, D::Error> {
        Ok(Labels::new(Vec::<(String, String)>::deserialize(from)?))
    }
}

/// For `#[serde(with)]`: a list of labels.
pub(crate) mod label_sets {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use vigie_promql::Labels;

    pub(crate) fn serialize<S: Serializer>(sets: &[Labels], to: S) -> Result<S::Ok, S::Error> {
        let sets = sets.iter().map(|labels| labels.iter().collect::<Vec<_>>());
        sets.collect::<Vec<_>>().serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Labels>, D::Error> {
        let sets = Vec::<Vec<(String, String)>>::deserialize(from)?;
        Ok(sets.into_iter().map(Labels::new).collect())
    }
}

/// For `#[serde(with)]`: pairs in their order.
pub(crate) mod pairs {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Pairs;

    pub(crate) fn serialize<S: Serializer>(pairs: &Pairs, to: S) -> Result<S::Ok, S::Error> {
        let pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
        pairs.collect::<Vec<_>>().serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pairs, D::Error> {
        let pairs = Vec::<(String, String)>::deserialize(from)?;
        let pairs = pairs.into_iter();
        Ok(pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }
}

/// For `#[serde(with)]`: a shared text.
pub(crate) mod text {
    use std::sync::Arc;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        (**text).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        Ok(String::deserialize(from)?.into())
    }
}

/// For `#[serde(with)]`: the bits of a number, since JSON has no NaN.
pub(crate) mod bits {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref)] // The form that serde asks for.
    pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        value.map(f64::to_bits).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(f64::from_bits))
    }
}
