//! Conversion of settings to typed values. An invalid value is recorded and replaced by the default, so that all faults are reported
//! together.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use super::grammar;
use super::options::Spec;
use super::problem::ConfigProblem;
use super::secrets::{Secret, is_sensitive, mask_urls};
use super::settings::{Origin, Settings};

/// Reads options by their kinds and defaults in the table.
pub(super) struct Reader<'a> {
    settings: &'a Settings,
    problems: RefCell<Vec<ConfigProblem>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self { settings, problems: RefCell::default() }
    }

    /// The problems so far.
    pub(super) fn into_problems(self) -> Vec<ConfigProblem> {
        self.problems.into_inner()
    }

    /// Whether the option is set to a value that is not empty.
    pub(super) fn is_set(&self, spec: &Spec) -> bool {
        self.settings.get(spec.key).is_some_and(|setting| !setting.value.text(",").trim().is_empty())
    }

    /// Adds a problem.
    pub(super) fn add(&self, problem: ConfigProblem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Adds a problem with an option.
    pub(super) fn refuse(&self, spec: &Spec, message: impl Into<String>) {
        let origin = self.settings.get(spec.key).map_or(Origin::Default, |setting| setting.origin.clone());
        self.problems.borrow_mut().push(ConfigProblem { key: Some(spec.key.to_owned()), origin, message: message.into() });
    }

    /// Adds a problem with the value of an option. The value is quoted unless it is secret.
    pub(super) fn refuse_value(&self, spec: &Spec, value: &str, fault: &str) {
        if is_sensitive(spec.key) {
            self.refuse(spec, format!("the value is invalid: {fault}"));
        } else {
            self.refuse(spec, format!("\"{}\" is invalid: {fault}", mask_urls(value)));
        }
    }

    /// The value that is set, if it is valid, else the default. An empty value counts as unset.
    fn value(&self, spec: &Spec) -> Option<String> {
        let set = self.settings.get(spec.key).map(|setting| setting.value.text(",").trim().to_owned()).filter(|text| !text.is_empty());
        let valid = set.filter(|text| {
            let fault = spec.kind.fault(text);
            if let Some(fault) = &fault {
                self.refuse_value(spec, text, fault);
            }
            fault.is_none()
        });
        valid.or_else(|| spec.default.map(str::to_owned))
    }

    pub(super) fn text(&self, spec: &Spec) -> Option<String> {
        self.value(spec)
    }

    pub(super) fn path(&self, spec: &Spec) -> Option<PathBuf> {
        self.value(spec).map(PathBuf::from)
    }

    /// A secret as written, with its spaces.
    pub(super) fn secret(&self, spec: &Spec) -> Option<Secret> {
        self.settings.get(spec.key).map(|setting| Secret::new(setting.value.text(",")))
    }

    pub(super) fn switch(&self, spec: &Spec) -> bool {
        self.value(spec).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    pub(super) fn integer(&self, spec: &Spec) -> Option<i64> {
        self.value(spec)?.parse().ok()
    }

    pub(super) fn fraction(&self, spec: &Spec) -> Option<f64> {
        self.value(spec)?.parse().ok()
    }

    pub(super) fn duration(&self, spec: &Spec) -> Option<Duration> {
        grammar::duration(&self.value(spec)?).ok()
    }

    pub(super) fn size(&self, spec: &Spec) -> Option<u64> {
        grammar::size(&self.value(spec)?).ok()
    }

    /// Items of a list; trimmed, without empty ones.
    pub(super) fn items(&self, spec: &Spec, separator: char) -> Vec<String> {
        self.settings.get(spec.key).map(|setting| setting.value.items(separator)).unwrap_or_default()
    }
}
