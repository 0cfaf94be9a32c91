//! JSON as Go's classic decoder reads it, which is what wrote and reads these values.
//!
//! Unlike serde's own, it takes `null` for "leave it as it is", ignores unknown members, matches
//! names without regard to ASCII case, lets the last of two members win and mends bad UTF-8.
//! Values of the wrong type are errors in both. Not followed: Go also matches the two non-ASCII
//! letters that fold to `k` and `s`, and merges two objects given for one member.
//!
//! Source: Go 1.26 `encoding/json`, documentation of `Unmarshal`.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};

/// Parses one value that fills the whole input.
pub(super) fn parse<T: Lax>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let text = String::from_utf8_lossy(bytes);
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    let value = T::read(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Parses the first value of the input and ignores what follows.
pub(super) fn parse_first<T: Lax>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let text = String::from_utf8_lossy(bytes);
    T::read(&mut serde_json::Deserializer::from_str(&text))
}

/// Is a type that can be read the way Go does. `null` reads as the default.
pub(super) trait Lax: Default {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl Lax for String {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Option::unwrap_or_default)
    }
}

impl Lax for i64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Option::unwrap_or_default)
    }
}

impl Lax for f64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Option::unwrap_or_default)
    }
}

impl<T: Lax> Lax for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items: Option<Vec<Item<T>>> = Option::deserialize(deserializer)?;
        Ok(items
            .unwrap_or_default()
            .into_iter()
            .map(|item| item.0)
            .collect())
    }
}

impl<T: Lax> Lax for BTreeMap<String, T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items: Option<BTreeMap<String, Item<T>>> = Option::deserialize(deserializer)?;
        let items = items.unwrap_or_default().into_iter();
        Ok(items.map(|(name, item)| (name, item.0)).collect())
    }
}

/// Carries a [`Lax`] type through serde's own containers.
struct Item<T>(T);

impl<'de, T: Lax> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Item)
    }
}

/// Is a struct that can be read the way Go does; [`object`] implements it.
pub(super) trait Object: Default {
    const NAMES: &'static [&'static str];

    /// Reads the member of one of [`Self::NAMES`].
    fn read_member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error>;
}

/// Implements [`Lax`] for a struct by a table of JSON names and fields.
macro_rules! object {
    ($type:ident { $($name:literal => $field:ident,)+ }) => {
        impl $crate::database::json::Object for $type {
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn read_member<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &'static str,
                map: &mut A,
            ) -> Result<(), A::Error> {
                match name {
                    $($name => $crate::database::json::assign(&mut self.$field, map),)+
                    _ => map.next_value::<serde::de::IgnoredAny>().map(drop),
                }
            }
        }

        impl $crate::database::json::Lax for $type {
            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                $crate::database::json::read_object(deserializer)
            }
        }
    };
}
pub(super) use object;

/// Reads the next value into a field; `null` leaves the field as it is.
pub(super) fn assign<'de, T: Lax, A: MapAccess<'de>>(
    field: &mut T,
    map: &mut A,
) -> Result<(), A::Error> {
    if let Some(Item(value)) = map.next_value::<Option<Item<T>>>()? {
        *field = value;
    }
    Ok(())
}

pub(super) fn read_object<'de, T: Object, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut object = T::default();
        while let Some(name) = map.next_key_seed(NameSeed(T::NAMES))? {
            match name {
                Some(name) => object.read_member(name, &mut map)?,
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(object)
    }
}

/// Reads a name and returns it as the table spells it, or nothing if the table lacks it.
struct NameSeed(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        let mut names = self.0.iter().copied();
        Ok(names.find(|known| known.eq_ignore_ascii_case(name)))
    }
}
