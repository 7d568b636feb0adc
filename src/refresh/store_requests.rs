//! The requests to the store of one directory, and the cost of its listings.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::RequestCounts;

const DAY: Duration = Duration::from_hours(24);

/// The requests to the store of one archive directory, and the cost of its listings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct StoreRequests {
    /// HTTP requests since the start, retries included.
    pub sent: RequestCounts,
    /// Listing requests of the last quick scan; `null` before the first.
    pub quick_scan: Option<u64>,
    /// Listing requests of the last full scan; `null` before the first.
    pub full_scan: Option<u64>,
    /// Listing requests of a day, if all scans are like the last ones; `null` before the first quick scan.
    pub listings_per_day: Option<u64>,
    /// Their cost in US dollars at list prices; `null` for a store without a public price list.
    pub listing_usd_per_day: Option<f64>,
}

impl StoreRequests {
    /// Derives the requests of a day and their cost.
    ///
    /// `quick_scan_every` and `full_scan_every` are the times from one scan to the next; `price` is that of one request.
    pub(super) fn note_pace(&mut self, quick_scan_every: Duration, full_scan_every: Duration, price: Option<f64>) {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let per_day = |requests: u64, every: Duration| requests as f64 * DAY.as_secs_f64() / every.as_secs_f64().max(0.001);
        let listings = self.quick_scan.map(|requests| {
            // A full scan takes the place of a quick scan, so there is none more often.
            let full_scans = self.full_scan.map_or(0.0, |requests| per_day(requests, full_scan_every.max(quick_scan_every)));
            (per_day(requests, quick_scan_every) + full_scans).round()
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rounded number that is not negative")]
        let whole = listings.map(|listings| listings as u64);
        self.listings_per_day = whole;
        self.listing_usd_per_day = listings.zip(price).map(|(listings, price)| listings * price);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_a_day_follow_from_the_last_scans_and_their_pace() {
        let mut requests = StoreRequests { full_scan: Some(300), ..StoreRequests::default() };
        let (quick, full) = (Duration::from_secs(10), Duration::from_mins(10));
        requests.note_pace(quick, full, Some(0.000_005));
        assert_eq!((requests.listings_per_day, requests.listing_usd_per_day), (None, None));
        requests.quick_scan = Some(11);
        requests.note_pace(quick, full, Some(0.000_005));
        assert_eq!(requests.listings_per_day, Some(11 * 8_640 + 300 * 144));
        assert!((requests.listing_usd_per_day.unwrap() - 0.691_2).abs() < 1e-9, "{requests:?}");
        requests.note_pace(quick, Duration::ZERO, None);
        assert_eq!((requests.listings_per_day, requests.listing_usd_per_day), (Some(311 * 8_640), None));
    }
}
