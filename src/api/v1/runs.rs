//! Runs: rows of lists with the figures of what ran, as histories and exports answer them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::v1::facts::RunFigures;
use crate::api::v1::items::{ApplicationItem, JobItem};
use crate::index::query::{self, Item};

/// A run of an application, with figures.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct ApplicationRun {
    #[serde(flatten)]
    item: ApplicationItem,
    #[serde(flatten)]
    figures: RunFigures,
}

/// A run of a job, with figures.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct JobRun {
    #[serde(flatten)]
    item: JobItem,
    #[serde(flatten)]
    figures: RunFigures,
}

impl From<(Item, query::RunFigures)> for ApplicationRun {
    fn from((item, figures): (Item, query::RunFigures)) -> Self {
        Self { item: item.into(), figures: figures.into() }
    }
}

impl From<(Item, query::RunFigures)> for JobRun {
    fn from((item, figures): (Item, query::RunFigures)) -> Self {
        Self { item: item.into(), figures: figures.into() }
    }
}
