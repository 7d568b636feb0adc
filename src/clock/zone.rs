//! The time zone of this machine, with the name that Java gives it.

use chrono::{Local, Offset as _, TimeZone as _};
use chrono_tz::Tz;

use super::Timestamp;

/// The time zone of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemZone {
    /// A time zone of the IANA database, which is part of this program, so that a container need not have it.
    Named(Tz),
    /// A time zone without a name: a POSIX rule in `TZ`, such as `CST-8`, or a file.
    Unnamed,
}

impl SystemZone {
    /// The time zone in `TZ`, else the time zone of the system.
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

    /// Offset of the local time from UTC at this time, in milliseconds.
    #[must_use]
    pub fn offset(self, at: Timestamp) -> i64 {
        let seconds = match self {
            Self::Named(zone) => zone.timestamp_millis_opt(at.as_millis()).single().map_or(0, |time| time.offset().fix().local_minus_utc()),
            Self::Unnamed => Local.timestamp_millis_opt(at.as_millis()).single().map_or(0, |time| time.offset().fix().local_minus_utc()),
        };
        i64::from(seconds) * 1000
    }

    /// Its name: the long name of Java for UTC and Greenwich, else the IANA name, or the offset from Greenwich at this time for a time zone
    /// without a name.
    #[must_use]
    pub fn name(self, at: Timestamp) -> String {
        match self {
            Self::Named(zone) => match zone.name() {
                "UTC" | "Etc/UTC" | "Etc/UCT" | "Etc/Universal" | "Etc/Zulu" | "UCT" | "Universal" | "Zulu" => {
                    "Coordinated Universal Time".to_owned()
                }
                "GMT" | "Etc/GMT" | "Etc/Greenwich" | "Greenwich" | "GMT0" | "GMT+0" | "GMT-0" | "Etc/GMT0" | "Etc/GMT+0" | "Etc/GMT-0" => {
                    GREENWICH.to_owned()
                }
                // The sign in these names is reversed.
                name if name.starts_with("Etc/GMT") => distance(self.offset(at)),
                name => name.to_owned(),
            },
            Self::Unnamed => distance(self.offset(at)),
        }
    }
}

const GREENWICH: &str = "Greenwich Mean Time";

/// `GMT+08:00`.
fn distance(offset: i64) -> String {
    let minutes = offset.abs() / 60_000;
    let sign = if offset < 0 { '-' } else { '+' };
    if minutes == 0 { GREENWICH.to_owned() } else { format!("GMT{sign}{:02}:{:02}", minutes / 60, minutes % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27, when Europe has winter time.
    const NOW: Timestamp = Timestamp::from_millis(1_795_800_000_000);

    #[test]
    fn a_zone_of_the_database_keeps_its_name() {
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
    fn a_rule_has_the_name_of_its_offset() {
        for rule in ["CST-8", "<+03>-3", "CET-1CEST,M3.5.0,M10.5.0/3", "Nowhere/Land"] {
            assert_eq!(SystemZone::of(Some(rule), || Some("Asia/Tokyo".to_owned())), SystemZone::Unnamed, "{rule}");
        }
        assert_eq!(SystemZone::of(None, || None), SystemZone::Unnamed);
        // The names of Java 17.
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
