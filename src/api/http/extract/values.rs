//! Names and values of parameters as a serde data format, so that structs of parameters derive how they are read.

use std::fmt;

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{self, Deserialize, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Maximum number of values of a parameter that takes several.
const MAX_VALUES: usize = 100;

/// Name of the newtype by which [`super::read::names`] asks for the values as they were sent, too.
pub(super) const NAMES: &str = "$historyserver::names";

/// Names and values of a request, in their order. No value is empty.
pub(in crate::api) struct Pairs(pub(super) Vec<(String, String)>);

/// Why a struct of parameters could not be read.
#[derive(Debug)]
pub(in crate::api) struct ParameterError {
    /// The parameter.
    pub(super) name: String,
    pub(super) problem: Problem,
}

#[derive(Debug)]
pub(in crate::api) enum Problem {
    Missing,
    /// Given more than once, although it takes one value.
    Repeated,
    /// With the valid values: the end of a sentence "it must be …".
    Invalid(String),
}

impl ParameterError {
    fn new(problem: Problem) -> Self {
        Self { name: String::new(), problem }
    }

    fn invalid(allowed: impl Into<String>) -> Self {
        Self::new(Problem::Invalid(allowed.into()))
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {:?}", self.name, self.problem)
    }
}

impl std::error::Error for ParameterError {}

impl de::Error for ParameterError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::invalid(message.to_string())
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid(expected.to_string())
    }

    fn missing_field(name: &'static str) -> Self {
        Self { name: name.to_owned(), problem: Problem::Missing }
    }
}

impl<'de> de::Deserializer<'de> for &'de Pairs {
    type Error = ParameterError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ParameterError> {
        Err(ParameterError::invalid("read by a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParameterError> {
        visitor.visit_map(Fields { pairs: self, names: fields.iter(), name: "" })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

/// The parameters of one struct that were given.
struct Fields<'de> {
    pairs: &'de Pairs,
    names: std::slice::Iter<'static, &'static str>,
    /// The field whose value is next.
    name: &'static str,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = ParameterError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ParameterError> {
        let given = |name: &&&str| self.pairs.0.iter().any(|(known, _)| known == **name);
        let Some(name) = self.names.by_ref().find(given) else { return Ok(None) };
        self.name = name;
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ParameterError> {
        let given = self.pairs.0.iter().filter(|(name, _)| name == self.name);
        let value = Value { texts: given.map(|(_, value)| value.as_str()).collect() };
        seed.deserialize(value).map_err(|error| ParameterError { name: self.name.to_owned(), ..error })
    }
}

/// All that was given for one parameter.
struct Value<'de> {
    texts: Vec<&'de str>,
}

impl<'de> Value<'de> {
    fn text(&self) -> Result<&'de str, ParameterError> {
        match self.texts.as_slice() {
            [text] => Ok(text),
            _ => Err(ParameterError::new(Problem::Repeated)),
        }
    }

    /// The values, separated at commas.
    fn several(&self) -> Result<Vec<&'de str>, ParameterError> {
        let mut values: Vec<&str> = self.texts.iter().flat_map(|text| text.split(',')).map(str::trim).collect();
        values.retain(|value| !value.is_empty());
        values.sort_unstable();
        values.dedup();
        if values.len() > MAX_VALUES {
            return Err(ParameterError::invalid(format!("at most {MAX_VALUES} values")));
        }
        Ok(values)
    }
}

impl<'de> IntoDeserializer<'de, ParameterError> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! whole_numbers {
    ($($method:ident => $visit:ident),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParameterError> {
            visitor.$visit(self.text()?.parse().map_err(|_| ParameterError::invalid("a whole number"))?)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Value<'de> {
    type Error = ParameterError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParameterError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    whole_numbers!(
        deserialize_i32 => visit_i32, deserialize_i64 => visit_i64, deserialize_u32 => visit_u32, deserialize_u64 => visit_u64
    );

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParameterError> {
        visitor.visit_bool(word(self.text()?, &["true", "false"])? == "true")
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParameterError> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParameterError> {
        let values = self.several()?;
        visitor.visit_seq(SeqDeserializer::new(values.into_iter().map(|text| Value { texts: vec![text] })))
    }

    /// A name may have commas itself, so what was sent counts as one name, too.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, ParameterError> {
        if name != NAMES {
            return visitor.visit_newtype_struct(self);
        }
        let mut values = self.several()?;
        values.extend(self.texts);
        values.sort_unstable();
        values.dedup();
        visitor.visit_seq(SeqDeserializer::new(values.into_iter().map(|text| Value { texts: vec![text] })))
    }

    /// Words are compared without case.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParameterError> {
        visitor.visit_enum(StrDeserializer::new(word(self.text()?, variants)?))
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

fn word(text: &str, words: &[&'static str]) -> Result<&'static str, ParameterError> {
    let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
    known.copied().ok_or_else(|| ParameterError::invalid(format!("one of {}", words.join(", "))))
}

/// The names of the fields of a struct, as serde reads them.
pub(super) fn field_names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It reads no values: it only records the requested names.
    let _ = T::deserialize(FieldNames(&mut names));
    names
}

struct FieldNames<'names>(&'names mut &'static [&'static str]);

impl<'de> de::Deserializer<'de> for FieldNames<'_> {
    type Error = ParameterError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ParameterError> {
        Err(ParameterError::invalid("read by a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ParameterError> {
        *self.0 = fields;
        Err(ParameterError::invalid("read by a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}
