//! The time in the `Date` header of a store's answers. It shows whether the clock of this machine is right.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ::object_store::HeaderMap;

use crate::clock::Timestamp;

/// The time in the last answer, and the time of its arrival.
#[derive(Debug, Default)]
pub(super) struct StoreClock(Mutex<Option<(Timestamp, Instant)>>);

impl StoreClock {
    /// The present time by the clock of the store, within about a second.
    pub(super) fn now(&self) -> Option<Timestamp> {
        let (stated, at) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(stated + at.elapsed())
    }

    pub(super) fn note(&self, headers: &HeaderMap) {
        let text = headers.get("date").and_then(|value| value.to_str().ok());
        let date = text.and_then(|text| chrono::DateTime::parse_from_rfc2822(text).ok());
        if let Some(date) = date {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((Timestamp::from_millis(date.timestamp_millis()), Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_since_the_last_date_is_added() {
        let clock = StoreClock::default();
        assert_eq!(clock.now(), None);
        for (text, seconds) in
            [("Tue, 15 Nov 1994 08:12:31 GMT", 784_887_151), ("no date", 784_887_151), ("Fri, 27 Nov 2026 00:00:00 GMT", 1_795_737_600)]
        {
            clock.note(&HeaderMap::from_iter([("date".parse().unwrap(), text.parse().unwrap())]));
            let now = clock.now().unwrap();
            let stated = Timestamp::from_millis(seconds * 1_000);
            assert!((stated..stated + Duration::from_mins(1)).contains(&now), "{text}: {now:?}");
        }
        clock.note(&HeaderMap::new());
        assert!(clock.now().is_some());
    }
}
