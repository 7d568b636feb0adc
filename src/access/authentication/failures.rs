//! Failed sign-ins by address: after many, further ones are refused unread for a while.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::super::peer::counted_as;

/// Failures of one address within [`PERIOD`] after which its credentials are refused unread.
const MAX_FAILURES: u32 = 20;

/// The period in which failures are counted.
const PERIOD: Duration = Duration::from_mins(1);

/// Addresses that are remembered. When there are more, the oldest ones are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// Failures by address. Times are those since a fixed moment of the process.
#[derive(Debug, Default)]
pub(super) struct Failures {
    addresses: Mutex<HashMap<IpAddr, Count>>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    failures: u32,
    since: Duration,
}

impl Failures {
    /// How long the address must wait; `None`: its credentials are read.
    pub(super) fn wait(&self, address: IpAddr, now: Duration) -> Option<Duration> {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let count = addresses.get(&counted_as(address)).filter(|count| count.failures >= MAX_FAILURES)?;
        (count.since + PERIOD).checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Counts a failure. Returns whether the address is refused from now on.
    pub(super) fn count(&self, address: IpAddr, now: Duration) -> bool {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= MAX_ADDRESSES {
            addresses.retain(|_, count| count.since + PERIOD > now);
        }
        if addresses.len() >= MAX_ADDRESSES
            && let Some(oldest) = addresses.iter().min_by_key(|(_, count)| count.since).map(|(address, _)| *address)
        {
            addresses.remove(&oldest);
        }
        let count = addresses.entry(counted_as(address)).or_insert(Count { failures: 0, since: now });
        if count.since + PERIOD <= now {
            *count = Count { failures: 0, since: now };
        }
        count.failures += 1;
        count.failures == MAX_FAILURES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_after_many_failures_and_others_do_not() {
        let failures = Failures::default();
        let (one, other): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap());
        let at = Duration::from_secs;
        for failure in 1..=MAX_FAILURES {
            assert_eq!(failures.wait(one, at(1)), None);
            assert_eq!(failures.count(one, at(1)), failure == MAX_FAILURES);
        }
        assert_eq!(failures.wait(one, at(11)), Some(at(50)));
        assert_eq!(failures.wait("2001:db8::2".parse().unwrap(), at(11)), Some(at(50)), "the same network");
        assert_eq!(failures.wait(other, at(11)), None);
        assert_eq!(failures.wait(one, at(61)), None);
        assert!(!failures.count(one, at(61)), "counted anew");
    }

    #[test]
    fn memory_is_bounded() {
        let failures = Failures::default();
        for number in 0..20_000_u32 {
            failures.count(IpAddr::from(number.to_be_bytes()), Duration::from_secs(1));
        }
        assert_eq!(failures.addresses.lock().unwrap().len(), MAX_ADDRESSES);
    }
}
