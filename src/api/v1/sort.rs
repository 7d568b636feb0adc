//! The order of a list as a parameter of a request. Lists and exports share it.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use crate::api::http::extract::Parameters;
use crate::index::query::{ListKind, Sort, SortKey};

/// The sort keys of a list, by the words of `sort`.
fn sort_keys(kind: ListKind) -> Vec<(&'static str, SortKey)> {
    let mut keys = vec![
        ("name", SortKey::Name),
        ("status", SortKey::Status),
        ("start", SortKey::Start),
        ("end", SortKey::End),
        ("duration", SortKey::Duration),
        ("cluster", SortKey::Cluster),
        ("directory", SortKey::Directory),
    ];
    keys.extend(match kind {
        ListKind::Applications => [("jobs", SortKey::Size), ("failed_jobs", SortKey::Failed)].as_slice(),
        ListKind::Jobs => [("tasks", SortKey::Size), ("failed_tasks", SortKey::Failed), ("job_type", SortKey::JobType)].as_slice(),
    });
    keys
}

fn sort<'de, D: Deserializer<'de>>(kind: ListKind, deserializer: D) -> Result<Sort, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (word, descending) = text.strip_prefix('-').map_or((text.as_str(), false), |word| (word, true));
    let keys = sort_keys(kind);
    if let Some((_, key)) = keys.iter().find(|(known, _)| *known == word) {
        return Ok(Sort { key: *key, descending });
    }
    let words: Vec<&str> = keys.iter().map(|(word, _)| *word).collect();
    let allowed = format!("one of {}, with - before it for descending order", words.join(", "));
    Err(D::Error::invalid_value(Unexpected::Str(&text), &allowed.as_str()))
}

fn sort_schema(kind: ListKind) -> RefOr<Schema> {
    let words = sort_keys(kind).into_iter().flat_map(|(word, _)| [word.to_owned(), format!("-{word}")]);
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(words)).into()
}

/// The newest end first.
pub(super) const NEWEST_FIRST: Sort = Sort { key: SortKey::End, descending: true };

/// The type of `sort` of one list.
macro_rules! sort_parameter {
    ($(#[$meta:meta])* $name:ident, $kind:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        pub(super) struct $name(pub(super) Sort);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                sort($kind, deserializer).map(Self)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                sort_schema($kind)
            }
        }

        impl ToSchema for $name {}
    };
}

sort_parameter!(
    /// The order of a list of applications.
    ApplicationSort,
    ListKind::Applications
);
sort_parameter!(
    /// The order of a list of jobs.
    JobSort,
    ListKind::Jobs
);

/// The order of a list of applications.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ApplicationSortParameters {
    /// Sort key, with `-` before it for descending order; default `-end`.
    #[param(inline)]
    sort: Option<ApplicationSort>,
}

impl Parameters for ApplicationSortParameters {}

impl From<ApplicationSortParameters> for Sort {
    fn from(parameters: ApplicationSortParameters) -> Self {
        parameters.sort.map_or(NEWEST_FIRST, |sort| sort.0)
    }
}

/// The order of a list of jobs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct JobSortParameters {
    /// Sort key, with `-` before it for descending order; default `-end`.
    #[param(inline)]
    sort: Option<JobSort>,
}

impl Parameters for JobSortParameters {}

impl From<JobSortParameters> for Sort {
    fn from(parameters: JobSortParameters) -> Self {
        parameters.sort.map_or(NEWEST_FIRST, |sort| sort.0)
    }
}
