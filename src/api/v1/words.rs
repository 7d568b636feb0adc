//! Words that a parameter takes, as types of the OpenAPI document: each is made of the list that the parameter is read by.

use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, schema::SchemaType};

/// The schema of one of these words.
pub(in crate::api) fn one_of<'words>(words: impl IntoIterator<Item = &'words str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(words)).into()
}

/// A type for parameters in the document: one of these words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $words:expr) => {
        $(#[$meta])*
        pub(in crate::api) struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::api::v1::words::one_of($words)
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

pub(in crate::api) use words;
