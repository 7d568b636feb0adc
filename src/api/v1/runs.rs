//! Runs: rows of lists with their figures, for histories and exports.

use serde::Serialize;
use utoipa::ToSchema;

use super::items::{ApplicationItem, JobItem};
use crate::index::query::{Item, RunFigures};

/// A run of an application, with figures.
#[derive(Serialize, ToSchema)]
pub(super) struct ApplicationRun {
    #[serde(flatten)]
    item: ApplicationItem,
    #[serde(flatten)]
    figures: RunFigures,
}

/// A run of a job, with figures.
#[derive(Serialize, ToSchema)]
pub(super) struct JobRun {
    #[serde(flatten)]
    item: JobItem,
    #[serde(flatten)]
    figures: RunFigures,
}

impl From<(Item, RunFigures)> for ApplicationRun {
    fn from((item, figures): (Item, RunFigures)) -> Self {
        Self { item: item.into(), figures }
    }
}

impl From<(Item, RunFigures)> for JobRun {
    fn from((item, figures): (Item, RunFigures)) -> Self {
        Self { item: item.into(), figures }
    }
}
