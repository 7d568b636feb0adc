//! Extractors for the parameters of a request: [`Query`] and [`Path`]. Axum's own answer errors without our envelope.
//!
//! A set of parameters is a struct that derives `Deserialize` and `IntoParams`: the same fields are read and documented. An unknown
//! name, a missing parameter and an invalid value are each a 400 that names the parameter and says what is allowed.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use crate::api::http::error::ApiError;
use crate::api::http::path;

pub(in crate::api) mod read;
mod values;

use values::{Pairs, ParameterError, Problem};

/// Longest value of a parameter, in characters.
const MAX_CHARACTERS: usize = 1_000;

/// Longest part of an unknown name that an error repeats, in characters.
const MAX_SHOWN: usize = 40;

/// A struct whose fields are parameters of a request, read by name.
///
/// A parameter with an empty value counts as absent. `Option<T>` fields are optional, `Vec<T>` fields take several values, repeated or
/// separated by commas. Functions for `#[serde(deserialize_with)]` stand in [`read`].
pub(in crate::api) trait Parameters: DeserializeOwned + IntoParams {}

/// One or several structs of parameters that one request takes.
pub(in crate::api) trait ParameterSet: Sized {
    /// Appends the names of all parameters.
    fn names(names: &mut Vec<&'static str>);

    /// Reads the parameters.
    ///
    /// # Errors
    /// [`ApiError`] with status 400.
    fn read(pairs: &Pairs) -> Result<Self, ApiError>;
}

impl<T: Parameters> ParameterSet for T {
    fn names(names: &mut Vec<&'static str>) {
        names.extend(values::field_names::<T>());
    }

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
        T::deserialize(pairs).map_err(|error| invalid::<T>(&error, &ParameterIn::Query))
    }
}

/// Implements [`ParameterSet`] for tuples.
macro_rules! parameter_sets {
    ($(($($part:ident),+))+) => {
        $(impl<$($part: Parameters),+> ParameterSet for ($($part),+) {
            fn names(names: &mut Vec<&'static str>) {
                $($part::names(names);)+
            }

            fn read(pairs: &Pairs) -> Result<Self, ApiError> {
                Ok(($($part::read(pairs)?),+))
            }
        })+
    };
}

parameter_sets! {
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
}

/// The parameters of the query: one struct of [`Parameters`], or a tuple of up to five. Other parameters are refused.
pub(in crate::api) struct Query<T>(pub(in crate::api) T);

/// A query that takes no parameters.
#[derive(serde::Deserialize, IntoParams)]
pub(in crate::api) struct NoParameters {}

impl Parameters for NoParameters {}

impl<T: ParameterSet, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        of_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn of_query<T: ParameterSet>(query: &str) -> Result<T, ApiError> {
    let mut known = Vec::new();
    T::names(&mut known);
    let mut pairs = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if !known.contains(&&*name) {
            return Err(unknown(&name, &known));
        }
        if value.chars().count() > MAX_CHARACTERS || value.contains('\0') {
            return Err(ApiError::bad_request(format!(
                "`{name}` must be a text of at most {MAX_CHARACTERS} characters without NUL characters."
            )));
        }
        if !value.is_empty() {
            pairs.push((name.into_owned(), value.into_owned()));
        }
    }
    T::read(&Pairs(pairs))
}

/// The parameters in the path of a route, such as `{id}`.
pub(in crate::api) struct Path<T>(pub(in crate::api) T);

impl<T: Parameters, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        path::decode(parts.uri.path())?;
        let raw = RawPathParams::from_request_parts(parts, state).await;
        let raw = raw.map_err(|error| ApiError::internal(format!("the parameters of the path could not be read: {error}")))?;
        let pairs = Pairs(raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        T::deserialize(&pairs).map(Self).map_err(|error| invalid::<T>(&error, &ParameterIn::Path))
    }
}

fn unknown(name: &str, known: &[&str]) -> ApiError {
    let shown: String = name.chars().take(MAX_SHOWN).map(|character| if character.is_control() { '?' } else { character }).collect();
    if known.is_empty() {
        return ApiError::bad_request(format!("`{shown}` is not a parameter of this path: it takes none."));
    }
    ApiError::bad_request(format!("`{shown}` is not a parameter of this path: it takes {}.", known.join(", ")))
}

fn invalid<T: IntoParams>(error: &ParameterError, place: &ParameterIn) -> ApiError {
    let name = &error.name;
    let place = if *place == ParameterIn::Path { " in the path" } else { "" };
    ApiError::bad_request(match &error.problem {
        Problem::Invalid(allowed) => format!("`{name}`{place} must be {allowed}."),
        Problem::Repeated => format!("`{name}`{place} is given more than once: it takes one value."),
        Problem::Missing => {
            let documented = T::into_params(|| None).into_iter().find(|parameter| parameter.name == *name);
            let description = documented.and_then(|parameter| parameter.description).unwrap_or_default();
            let separator = if description.is_empty() { "" } else { " " };
            format!("`{name}`{place} is missing, and this request needs it.{separator}{description}")
        }
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::clock::Timestamp;
    use crate::ids::JobId;

    #[derive(Deserialize, Debug, PartialEq)]
    enum State {
        #[serde(rename = "FAILED")]
        Failed,
        #[serde(rename = "FINISHED")]
        Finished,
    }

    #[derive(Deserialize, IntoParams, Debug, Default)]
    #[serde(default)]
    #[into_params(parameter_in = Query)]
    struct Filter {
        name: Option<String>,
        #[param(value_type = Option<Vec<String>>)]
        status: Vec<State>,
        #[serde(deserialize_with = "read::names")]
        cluster: Vec<String>,
        #[serde(deserialize_with = "read::time")]
        from: Option<Timestamp>,
        #[serde(deserialize_with = "read::zone")]
        #[param(value_type = Option<String>)]
        zone: Option<chrono_tz::Tz>,
        detailed: Option<bool>,
        #[param(value_type = Option<String>)]
        job: Option<JobId>,
    }

    impl Parameters for Filter {}

    #[derive(Deserialize, IntoParams, Debug, Default)]
    #[serde(default)]
    struct Rows {
        #[serde(deserialize_with = "read::number::<_, 1, 1000>")]
        limit: Option<i64>,
        #[serde(deserialize_with = "read::number::<_, 0, { i64::MAX }>")]
        longer_than: Option<i64>,
    }

    impl Parameters for Rows {}

    #[derive(Deserialize, IntoParams, Debug)]
    struct Needed {
        /// The name of the job.
        name: String,
    }

    impl Parameters for Needed {}

    fn of(query: &str) -> Result<(Filter, Rows), ApiError> {
        of_query(query)
    }

    fn refused<T: std::fmt::Debug>(result: Result<T, ApiError>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.status(), 400);
        error.cause().to_owned()
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_the_known_ones() {
        let known = "name, status, cluster, from, zone, detailed, job, limit, longer_than";
        assert_eq!(refused(of("nmae=x")), format!("`nmae` is not a parameter of this path: it takes {known}."));
        assert_eq!(refused(of_query::<NoParameters>("x=1").map(|_| ())), "`x` is not a parameter of this path: it takes none.");
        assert!(refused(of(&format!("{}=1", "y".repeat(500)))).len() < 200);
        assert_eq!(refused(of("name=a%00b")), "`name` must be a text of at most 1000 characters without NUL characters.");
        assert!(refused(of(&format!("name={}", "é".repeat(1_001)))).contains("1000 characters"));
        assert!(of(&format!("name={}", "x".repeat(1_000))).is_ok());
    }

    #[test]
    fn values_are_repeated_or_separated_by_commas() {
        let (filter, rows) = of("status=failed,,%20FINISHED%20&status=FINISHED&name=x,y&limit=&cluster=b,c&cluster=a").unwrap();
        assert_eq!(filter.status, [State::Finished, State::Failed]);
        assert_eq!(filter.name.as_deref(), Some("x,y"));
        assert_eq!(filter.cluster, ["a", "b", "b,c", "c"]);
        assert_eq!(rows.limit, None);
        assert_eq!(refused(of("name=a&name=b")), "`name` is given more than once: it takes one value.");
        let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
        assert_eq!(refused(of(&format!("cluster={}", many.join(",")))), "`cluster` must be at most 100 values.");
    }

    #[test]
    fn an_empty_value_is_absent() {
        assert_eq!(of_query::<Needed>("name=x").unwrap().name, "x");
        for query in ["", "name="] {
            let message = "`name` is missing, and this request needs it. The name of the job.";
            assert_eq!(refused(of_query::<Needed>(query)), message);
        }
    }

    #[test]
    fn invalid_numbers_and_words_are_refused_with_the_valid_ones() {
        for wrong in ["0", "1001", "-1", "x", "1.5", "99999999999999999999", "1e3", "+-1", "٣"] {
            let message = refused(of(&format!("limit={wrong}")));
            assert_eq!(message, "`limit` must be a whole number from 1 to 1000.", "{wrong}");
        }
        assert_eq!(refused(of("longer_than=-1")), "`longer_than` must be a whole number of 0 or more.");
        assert_eq!(refused(of("status=FALIED")), "`status` must be one of FAILED, FINISHED.");
        assert_eq!(refused(of("detailed=yes")), "`detailed` must be one of true, false.");
        assert_eq!(of("detailed=TRUE").unwrap().0.detailed, Some(true));
        assert_eq!(refused(of("job=x")), "`job` must be 32 hexadecimal digits.");
    }

    #[test]
    fn times_are_milliseconds_or_iso_8601() {
        for (text, expected) in [
            ("0", 0),
            ("-5", -5),
            ("1795373917344", 1_795_373_917_344),
            ("1970-01-01", 0),
            ("1970-01-02T00:00", 86_400_000),
            ("1970-01-01T00:00:01.5", 1_500),
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00%2B01:00", 0),
        ] {
            assert_eq!(of(&format!("from={text}")).unwrap().0.from, Some(Timestamp::from_millis(expected)), "{text}");
        }
        for wrong in ["yesterday", "2026-13-01", "2026-11-22T25:00", "1e9", "99999999999999999999999", "';%20DROP%20TABLE%20jobs"] {
            assert!(refused(of(&format!("from={wrong}"))).contains("milliseconds since 1970"), "{wrong}");
        }
    }

    #[test]
    fn zones_have_iana_names() {
        assert_eq!(of("zone=Europe/Berlin").unwrap().0.zone, Some(chrono_tz::Tz::Europe__Berlin));
        assert!(refused(of("zone=Mars/Olympus")).contains("IANA"));
    }
}
