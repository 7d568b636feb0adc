//! The time zone of this machine, told as Java tells it.

use chrono::{Local, Offset as _, TimeZone as _};
use chrono_tz::Tz;

use super::Millis;

/// The time zone of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemZone {
    /// One of the IANA database, whose rules come with this program: a container need not have them.
    Named(Tz),
    /// Only its rules are known: a POSIX rule in `TZ`, such as `CST-8`, or a file without a name.
    Unnamed,
}

impl SystemZone {
    /// That of `TZ`, else the system's.
    #[must_use]
    pub fn of_process() -> Self {
        Self::of(std::env::var("TZ").ok().as_deref(), || iana_time_zone::get_timezone().ok())
    }

    fn of(variable: Option<&str>, system: impl FnOnce() -> Option<String>) -> Self {
        let named = |name: &str| {
            let name = name.strip_prefix(':').unwrap_or(name);
            let name = name.split_once("/zoneinfo/").map_or(name, |(_, name)| name);
            name.strip_prefix("posix/").unwrap_or(name).parse().ok()
        };
        let zone = match variable.filter(|text| !text.is_empty()) {
            Some(text) => named(text),
            None => system().as_deref().and_then(named),
        };
        zone.map_or(Self::Unnamed, Self::Named)
    }

    /// Milliseconds that the local time is ahead of UTC at this time.
    #[must_use]
    pub fn offset(self, at: Millis) -> Millis {
        let seconds = match self {
            Self::Named(zone) => zone.timestamp_millis_opt(at).single().map_or(0, |time| time.offset().fix().local_minus_utc()),
            Self::Unnamed => Local.timestamp_millis_opt(at).single().map_or(0, |time| time.offset().fix().local_minus_utc()),
        };
        Millis::from(seconds) * 1000
    }

    /// Its name: spelled out as Java does where that is UTC or Greenwich, the IANA name where Java would spell that out, and the
    /// distance from Greenwich at this time where there is no name.
    #[must_use]
    pub fn name(self, at: Millis) -> String {
        match self {
            Self::Named(zone) => match zone.name() {
                "UTC" | "Etc/UTC" | "Etc/UCT" | "Etc/Universal" | "Etc/Zulu" | "UCT" | "Universal" | "Zulu" => {
                    "Coordinated Universal Time".to_owned()
                }
                "GMT" | "Etc/GMT" | "Etc/Greenwich" | "Greenwich" | "GMT0" | "GMT+0" | "GMT-0" | "Etc/GMT0" | "Etc/GMT+0" | "Etc/GMT-0" => {
                    GREENWICH.to_owned()
                }
                // Their names count the other way round.
                name if name.starts_with("Etc/GMT") => distance(self.offset(at)),
                name => name.to_owned(),
            },
            Self::Unnamed => distance(self.offset(at)),
        }
    }
}

const GREENWICH: &str = "Greenwich Mean Time";

/// `GMT+08:00`.
fn distance(offset: Millis) -> String {
    let minutes = offset.abs() / 60_000;
    let sign = if offset < 0 { '-' } else { '+' };
    if minutes == 0 { GREENWICH.to_owned() } else { format!("GMT{sign}{:02}:{:02}", minutes / 60, minutes % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27, when Europe has winter time.
    const NOW: Millis = 1_795_800_000_000;

    #[test]
    fn a_zone_of_the_database_is_known_by_its_name_wherever_it_is_said() {
        for (variable, system, name, hours) in [
            (Some("Europe/Berlin"), None, "Europe/Berlin", 1),
            (Some(":Europe/Berlin"), Some("Asia/Tokyo"), "Europe/Berlin", 1),
            (Some("posix/Europe/Berlin"), None, "Europe/Berlin", 1),
            (Some("/usr/share/zoneinfo/Asia/Tokyo"), None, "Asia/Tokyo", 9),
            (None, Some("Asia/Tokyo"), "Asia/Tokyo", 9),
            (Some(""), Some("Asia/Tokyo"), "Asia/Tokyo", 9),
            (Some("UTC"), Some("Asia/Tokyo"), "Coordinated Universal Time", 0),
            (None, Some("Etc/UTC"), "Coordinated Universal Time", 0),
            (Some("GMT"), None, "Greenwich Mean Time", 0),
            (Some("EST5EDT"), None, "EST5EDT", -5),
            (Some("Etc/GMT+3"), None, "GMT-03:00", -3),
        ] {
            let zone = SystemZone::of(variable, || system.map(str::to_owned));
            assert_eq!((zone.name(NOW).as_str(), zone.offset(NOW)), (name, hours * 3_600_000), "{variable:?} {system:?}");
        }
    }

    #[test]
    fn a_rule_has_the_name_of_its_distance_and_never_that_of_the_system() {
        for rule in ["CST-8", "<+03>-3", "CET-1CEST,M3.5.0,M10.5.0/3", "Nowhere/Land"] {
            assert_eq!(SystemZone::of(Some(rule), || Some("Asia/Tokyo".to_owned())), SystemZone::Unnamed, "{rule}");
        }
        assert_eq!(SystemZone::of(None, || None), SystemZone::Unnamed);
        // As Java 17 tells them.
        for (milliseconds, name) in [
            (28_800_000, "GMT+08:00"),
            (-18_000_000, "GMT-05:00"),
            (19_800_000, "GMT+05:30"),
            (-12_615_000, "GMT-03:30"),
            (0, "Greenwich Mean Time"),
        ] {
            assert_eq!(distance(milliseconds), name);
        }
    }
}
