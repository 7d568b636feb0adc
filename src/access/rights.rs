//! Rights: rules of who may do what with which applications, and the scope that follows from them for a client.
//!
//! Rules only give rights, and a client has the rights of all rules that name it. A token also has the rights that its file gives, about
//! everything. `download` includes
//! `view-configuration`, and that includes `view`.
//! While no rule gives one of these three, each signed-in client has them for everything; `operate` must be given by a rule.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Deserialize;

use crate::access::{Identity, IdentityKind};
use crate::archive::SensitiveKeys;
use crate::index::query::{ConfigurationValue, Part, Scope, Selection};
use crate::names::Pattern;

/// Maximum number of combinations of rules whose access is remembered.
const MAX_REMEMBERED: usize = 1_024;

/// A right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// See applications and jobs in lists, counts, searches, details and documents.
    View,
    /// See their configuration, too.
    ViewConfiguration,
    /// Download their archive files, and see their documents byte for byte, with sensitive values.
    Download,
    /// Request refreshes and cleanups.
    Operate,
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 4] = [Self::View, Self::ViewConfiguration, Self::Download, Self::Operate];

    /// The right as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::ViewConfiguration => "view-configuration",
            Self::Download => "download",
            Self::Operate => "operate",
        }
    }

    /// The right that is written like this.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.as_str() == text)
    }
}

/// The clients that a rule is for: those that any of its conditions names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// Users, by patterns of their names.
    pub users: Vec<Pattern>,
    /// Members of groups, by patterns of the names of the groups.
    pub groups: Vec<Pattern>,
    /// Static tokens, by patterns of their names.
    pub tokens: Vec<Pattern>,
    /// All signed-in clients.
    pub everyone: bool,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The clients that it is for.
    pub who: Who,
    /// The rights that it gives.
    pub may: Vec<Right>,
    /// The applications that it is about.
    pub which: Selection,
}

impl Who {
    fn names(&self, client: &Identity) -> bool {
        let any = |patterns: &[Pattern], name: &str| patterns.iter().any(|pattern| pattern.matches(name));
        let Some(name) = &client.name else { return false };
        self.everyone
            || match client.kind {
                IdentityKind::User | IdentityKind::Certificate => {
                    any(&self.users, name) || client.groups.iter().any(|group| any(&self.groups, group))
                }
                // Its groups are the rights that its file gives.
                IdentityKind::Token => any(&self.tokens, name),
                IdentityKind::Anonymous | IdentityKind::Owner => false,
            }
    }
}

/// Rules as they are written: one object each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct WrittenRule {
    users: Vec<String>,
    groups: Vec<String>,
    tokens: Vec<String>,
    everyone: bool,
    may: Vec<Right>,
    directories: Option<Vec<String>>,
    clusters: Option<Vec<String>>,
    names: Option<Vec<String>>,
    configuration: Option<WrittenValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenValue {
    key: String,
    value: OneOrMore,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Reads rules from a JSON list of objects.
///
/// # Errors
/// Each fault, as the end of a sentence about the option.
pub fn parse(json: &str) -> Result<Vec<Rule>, Vec<String>> {
    let written: Vec<serde_json::Value> =
        serde_json::from_str(json).map_err(|error| vec![format!("it must be a list of rules: {error}")])?;
    let (mut rules, mut faults) = (Vec::new(), Vec::new());
    for (number, written) in written.into_iter().enumerate() {
        match rule(written) {
            Ok(rule) => rules.push(rule),
            Err(fault) => faults.push(format!("rule {}: {fault}", number + 1)),
        }
    }
    if faults.is_empty() { Ok(rules) } else { Err(faults) }
}

fn rule(written: serde_json::Value) -> Result<Rule, String> {
    let written: WrittenRule = serde_json::from_value(written).map_err(|error| error.to_string())?;
    let patterns = |texts: Vec<String>| texts.into_iter().map(Pattern::new).collect::<Vec<_>>();
    let who = Who {
        users: patterns(written.users),
        groups: patterns(written.groups),
        tokens: patterns(written.tokens),
        everyone: written.everyone,
    };
    if who == Who::default() {
        return Err("it is for no client; set `users`, `groups`, `tokens`, or `everyone = true`".to_owned());
    }
    if written.may.is_empty() {
        return Err("it gives no right; set `may` to a list of `view`, `view-configuration`, `download` and `operate`".to_owned());
    }
    let empty = [("directories", &written.directories), ("clusters", &written.clusters), ("names", &written.names)];
    if let Some((name, _)) = empty.iter().find(|(_, texts)| texts.as_ref().is_some_and(Vec::is_empty)) {
        return Err(format!("`{name}` is empty, so it is about no application; remove it, or list patterns in it"));
    }
    let configuration = written.configuration.map(|WrittenValue { key, value }| ConfigurationValue {
        key,
        values: patterns(match value {
            OneOrMore::One(value) => vec![value],
            OneOrMore::More(values) => values,
        }),
    });
    if configuration.as_ref().is_some_and(|value| value.key.is_empty() || value.values.is_empty()) {
        return Err("`configuration` needs a `key`, and a `value` or a list of them".to_owned());
    }
    let which = Selection {
        directories: written.directories.map(patterns),
        clusters: written.clusters.map(patterns),
        names: written.names.map(patterns),
        configuration,
    };
    if written.may.contains(&Right::Operate) && which != Selection::default() {
        return Err(
            "`operate` is about the whole server; give it in a rule without `directories`, `clusters`, `names` and `configuration`"
                .to_owned(),
        );
    }
    Ok(Rule { who, may: written.may, which: which.folded() })
}

/// What one client may do.
#[derive(Debug, PartialEq, Eq)]
pub struct Access {
    /// The part of the index that it may see.
    pub scope: Arc<Scope>,
    /// Whether it may request refreshes and cleanups.
    pub operate: bool,
}

/// The rights of all clients. Cheap to clone; all clones follow a change of the rules.
#[derive(Clone)]
pub struct Rights(Arc<Inner>);

struct Inner {
    /// Whether clients are authenticated. If not, all may do everything.
    enforced: bool,
    everything: Arc<Access>,
    nothing: Arc<Access>,
    current: RwLock<Current>,
    sensitive: RwLock<Arc<SensitiveKeys>>,
}

/// The numbers of the rules that fit a client, and the rights of its token.
type Combination = (Vec<usize>, Vec<Right>);

/// The rules in force.
struct Current {
    rules: Arc<[Rule]>,
    /// Whether rules say who may view, not the default.
    limits_views: bool,
    /// The access that follows from each combination of rules, by their numbers.
    remembered: Mutex<HashMap<Combination, Arc<Access>>>,
}

impl Default for Rights {
    fn default() -> Self {
        Self::unlimited()
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rights").field("enforced", &self.0.enforced).finish_non_exhaustive()
    }
}

impl Rights {
    /// Of a server without authentication: all clients may do everything.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(false, Vec::new())
    }

    /// Of a server with authentication and these rules.
    #[must_use]
    pub fn of_rules(rules: Vec<Rule>) -> Self {
        Self::new(true, rules)
    }

    fn new(enforced: bool, rules: Vec<Rule>) -> Self {
        let access = |scope: Scope, operate| Arc::new(Access { scope: Arc::new(scope), operate });
        Self(Arc::new(Inner {
            enforced,
            everything: access(Scope::everything(), true),
            nothing: access(Scope::nothing(), false),
            current: RwLock::new(Current::of(rules)),
            sensitive: RwLock::default(),
        }))
    }

    /// Puts other rules in force for all following requests.
    pub fn replace_rules(&self, rules: Vec<Rule>) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Current::of(rules);
    }

    /// Whether clients are limited at all.
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        self.0.enforced
    }

    /// The keys whose values are masked.
    #[must_use]
    pub fn sensitive(&self) -> Arc<SensitiveKeys> {
        Arc::clone(&self.0.sensitive.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Masks the values of these keys for all following requests.
    pub fn replace_sensitive(&self, keys: SensitiveKeys) {
        *self.0.sensitive.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// What this server itself may do, for its own figures.
    #[must_use]
    pub fn of_server(&self) -> Arc<Access> {
        Arc::clone(&self.0.everything)
    }

    /// What a request may do whose client is not known yet.
    #[must_use]
    pub fn nothing(&self) -> Arc<Access> {
        Arc::clone(&self.0.nothing)
    }

    /// What a client may do.
    #[must_use]
    pub fn of(&self, client: Option<&Identity>) -> Arc<Access> {
        if !self.0.enforced {
            return Arc::clone(&self.0.everything);
        }
        let Some(client) = client else { return Arc::clone(&self.0.nothing) };
        match client.kind {
            IdentityKind::Owner => return Arc::clone(&self.0.everything),
            IdentityKind::Anonymous => return Arc::clone(&self.0.nothing),
            IdentityKind::User | IdentityKind::Token | IdentityKind::Certificate => {}
        }
        if client.name.is_none() {
            return Arc::clone(&self.0.nothing);
        }
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).access(client)
    }
}

impl Current {
    fn of(rules: Vec<Rule>) -> Self {
        let limits_views = rules.iter().any(|rule| rule.may.iter().any(|right| *right != Right::Operate));
        Self { rules: rules.into(), limits_views, remembered: Mutex::default() }
    }

    fn access(&self, client: &Identity) -> Arc<Access> {
        let rules = self.rules.iter().enumerate();
        let numbers: Vec<usize> = rules.filter(|(_, rule)| rule.who.names(client)).map(|(number, _)| number).collect();
        let own = if client.kind == IdentityKind::Token { rights_of_token(client) } else { Vec::new() };
        let key = (numbers, own);
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = remembered.get(&key) {
            return Arc::clone(known);
        }
        let access = Arc::new(self.combined(&key.0, &key.1));
        if remembered.len() < MAX_REMEMBERED {
            remembered.insert(key, Arc::clone(&access));
        }
        access
    }

    /// The access that these rules give together, with the rights of the client's token.
    fn combined(&self, numbers: &[usize], own: &[Right]) -> Access {
        let rules = || numbers.iter().filter_map(|number| self.rules.get(*number));
        let operate = own.contains(&Right::Operate) || rules().any(|rule| rule.may.contains(&Right::Operate));
        if !self.limits_views {
            return Access { scope: Arc::new(Scope::everything()), operate };
        }
        let part = |rights: &[Right]| {
            let giving = rules().filter(|rule| rule.may.iter().any(|right| rights.contains(right)));
            let whole = own.iter().any(|right| rights.contains(right)).then(Selection::default);
            Part::of(giving.map(|rule| rule.which.clone()).chain(whole))
        };
        let scope = Scope {
            view: part(&[Right::View, Right::ViewConfiguration, Right::Download]),
            configuration: part(&[Right::ViewConfiguration, Right::Download]),
            download: part(&[Right::Download]),
        };
        Access { scope: Arc::new(scope), operate }
    }
}

/// The rights that the file of a token gives to it, about everything. Words that are no rights give none.
fn rights_of_token(client: &Identity) -> Vec<Right> {
    client.groups.iter().filter_map(|word| Right::parse(word)).collect()
}

#[cfg(test)]
mod tests;
