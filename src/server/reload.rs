//! Changes of the configuration while the server runs: on SIGHUP, and when its files have changed.
//!
//! The whole configuration is read and validated again. If it is not valid, nothing changes. Otherwise the log names each option that has
//! changed, and whether it is in force now or needs a restart.

use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{retention_rules, rules, service_manager};
use crate::config::options::{self, Spec};
use crate::config::secrets::shown;
use crate::config::{Config, ConfigErrors, Environment, Loaded, Settings, Sources};
use crate::logging::LogLevel;
use crate::refresh::RetentionRules;
use crate::refresh::plan::Rules;
use crate::retention::policy::Policy;
use crate::schedule::periodic::Activator;
use crate::tasks;

/// Interval of the checks whether the configuration has changed.
const INTERVAL: Duration = Duration::from_secs(5);

/// Options that are in force as soon as they are read again.
const WHILE_RUNNING: &[&Spec] = &[
    &options::LOG_LEVEL,
    &options::CLEAN_EXPIRED_APPLICATIONS,
    &options::CLEAN_EXPIRED_JOBS,
    &options::EMPTY_GRACE,
    &options::RETAINED_APPLICATIONS,
    &options::RETAINED_JOBS,
    &options::RETAINED_TTL,
    &options::RETAINED_SIZE,
    &options::RETAIN_REMOTE,
    &options::MAX_DELETE_FRACTION,
    &options::DELETE_UNREADABLE,
];

/// The limits of retention. The first of them, and the last to go, need a restart: other parts depend on whether there is one.
const LIMITS: &[&Spec] = &[&options::RETAINED_APPLICATIONS, &options::RETAINED_JOBS, &options::RETAINED_TTL, &options::RETAINED_SIZE];

/// A configuration and where it came from.
pub struct Source {
    /// The arguments of the command line.
    pub sources: Sources,
    /// The environment of the process.
    pub environment: Environment,
    /// The settings that were read at the start.
    pub settings: Settings,
    /// The level of the log.
    pub level: LogLevel,
}

/// The rules that a refresh follows.
pub(super) type RefreshRules = (Rules, RetentionRules);

/// The configuration in force, and what it changes.
pub(super) struct Reload {
    source: Source,
    /// Whether a limit of retention is in force.
    has_limit: bool,
    rules: watch::Sender<RefreshRules>,
    activator: Activator,
    /// The settings as they were read last.
    seen: Settings,
    /// The errors of the last configuration that was not valid.
    refused: Option<String>,
}

impl Reload {
    /// The state of a server that was started with `config`.
    pub(super) fn new(source: Source, config: &Config, activator: Activator) -> Self {
        let rules = watch::Sender::new((rules(config), retention_rules(&config.retention)));
        Self { has_limit: config.retention.has_limit(), rules, activator, seen: source.settings.clone(), refused: None, source }
    }

    /// The rules of refreshes, as they change.
    pub(super) fn rules(&self) -> watch::Receiver<RefreshRules> {
        self.rules.subscribe()
    }

    /// Reads the configuration on each signal, and when it has changed, until `stop` is cancelled.
    ///
    /// A change that no signal announces counts when it was read twice: an editor may be writing the file.
    pub(super) async fn run(mut self, mut hangup: Signal, stop: CancellationToken) {
        let mut timer = tokio::time::interval(INTERVAL);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before: Option<Settings> = None;
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                Some(()) = hangup.recv() => true,
                _ = timer.tick() => false,
            };
            let read = self.read().await;
            if asked {
                service_manager::reloading();
                tracing::info!("SIGHUP: reading the configuration again");
                self.refused = None;
                match read {
                    Ok(loaded) => self.follow(&loaded, true),
                    Err(errors) => self.refuse(&errors),
                }
                service_manager::ready();
                before = None;
                continue;
            }
            match read {
                Ok(loaded) if is_same(&loaded.settings, &self.seen) => before = None,
                Ok(loaded) if before.as_ref().is_some_and(|before| is_same(before, &loaded.settings)) => {
                    tracing::info!("the configuration has changed");
                    self.follow(&loaded, false);
                    before = None;
                }
                Ok(loaded) => before = Some(loaded.settings),
                Err(errors) => self.refuse(&errors),
            }
        }
    }

    async fn read(&self) -> Result<Loaded, ConfigErrors> {
        let (sources, environment) = (self.source.sources.clone(), self.source.environment.clone());
        tasks::spawn_blocking(move || Config::load(&sources, &environment)).await
    }

    /// Logs why a configuration is not valid, once.
    fn refuse(&mut self, errors: &ConfigErrors) {
        let text = errors.to_string();
        if self.refused.as_ref() != Some(&text) {
            tracing::error!("the configuration is not valid, and nothing was changed. Correct it: {text}");
            self.refused = Some(text);
        }
    }

    /// Puts into force what can change while the server runs, and logs the rest.
    fn follow(&mut self, loaded: &Loaded, asked: bool) {
        self.refused = None;
        self.seen = loaded.settings.clone();
        let changed = changed(&self.source.settings, &loaded.settings);
        if changed.is_empty() {
            if asked {
                tracing::info!("no option has changed");
            }
            return;
        }
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let limits_need_restart = loaded.config.retention.has_limit() != self.has_limit;
        let (now, later): (Vec<String>, Vec<String>) = changed.into_iter().partition(|key| {
            WHILE_RUNNING.iter().any(|option| option.key == key) && !(limits_need_restart && LIMITS.iter().any(|option| option.key == key))
        });
        for key in &now {
            tracing::info!("{key} is now {} (was {})", value(&loaded.settings, key), value(&self.source.settings, key));
        }
        for key in &later {
            tracing::warn!(
                "{key} is {} in the configuration, and stays {} until the server is restarted",
                value(&loaded.settings, key),
                value(&self.source.settings, key)
            );
        }
        if now.iter().any(|key| key == options::LOG_LEVEL.key)
            && let Err(error) = self.source.level.set(&loaded.config.log.level)
        {
            tracing::error!("the level of the log could not be changed: {error}; restart the server");
        }
        let mut new = (rules(&loaded.config), retention_rules(&loaded.config.retention));
        if limits_need_restart {
            let policy = self.rules.borrow().1.policy;
            new.1.policy = Policy { delete_unreadable: new.1.policy.delete_unreadable, ..policy };
        }
        let differs = self.rules.send_if_modified(|rules| {
            let differs = *rules != new;
            *rules = new;
            differs
        });
        if differs {
            // No directory waits for its next refresh.
            let _number = self.activator.full_scan();
        }
        for key in now {
            match loaded.settings.get(&key) {
                Some(setting) => self.source.settings.insert(key, setting.clone()),
                None => self.source.settings.remove(&key),
            };
        }
    }
}

/// Whether both have the same values. The line of a value does not matter.
fn is_same(left: &Settings, right: &Settings) -> bool {
    changed(left, right).is_empty()
}

/// The keys whose values differ, in their order.
fn changed(old: &Settings, new: &Settings) -> Vec<String> {
    let mut keys: Vec<&String> = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))).collect();
    keys.sort();
    let value = |settings: &Settings, key: &str| settings.get(key).map(|setting| setting.value.clone());
    keys.into_iter().filter(|key| value(old, key) != value(new, key)).cloned().collect()
}

/// A value for the log, without secrets.
fn value(settings: &Settings, key: &str) -> String {
    match settings.get(key) {
        Some(setting) => format!("`{}`", shown(key, &setting.value.text(", "))),
        None => options::find(key).and_then(|option| option.default).map_or("unset".to_owned(), |default| format!("`{default}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Origin, Setting, Value};

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let setting =
            |key: &str, value: &str| Setting { key: key.to_owned(), value: Value::Text(value.to_owned()), origin: Origin::CommandLine };
        pairs.iter().map(|(key, value)| ((*key).to_owned(), setting(key, value))).collect()
    }

    #[test]
    fn changed_added_and_removed_values_are_found() {
        let old = settings(&[("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(changed(&old, &settings(&[("a", "1"), ("b", "3"), ("d", "4")])), ["b", "c", "d"]);
        let mut moved = old.clone();
        moved.get_mut("a").unwrap().origin = Origin::Default;
        assert!(is_same(&old, &moved));
    }

    #[test]
    fn values_are_shown_without_secrets() {
        let set = settings(&[("s3.secret-key", "hidden"), ("historyserver.web.port", "80")]);
        assert_eq!(value(&set, "historyserver.web.port"), "`80`");
        assert!(!value(&set, "s3.secret-key").contains("hidden"));
        assert_eq!(value(&set, "historyserver.archive.retained-jobs"), "`-1`");
        assert_eq!(value(&set, "historyserver.archive.retained-ttl"), "unset");
    }
}
