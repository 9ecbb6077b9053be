//! How many connections there may be, in all and of one address.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The part of an address of version 6 that its owner cannot choose at will.
const PREFIX: u128 = !0 << 64;

/// A connection.
#[derive(Default)]
pub(crate) struct Guest {
    // A whole request has come, and its answer has not gone.
    busy: AtomicBool,
    leave: Notify,
}

impl Guest {
    pub(crate) fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    /// Until another connection needs the place.
    pub(crate) async fn told_to_leave(&self) {
        self.leave.notified().await;
    }
}

/// The places. Who has asked for nothing yet gives way to who comes.
pub(crate) struct Room {
    total: usize,
    per_address: usize,
    guests: Mutex<HashMap<IpAddr, VecDeque<Arc<Guest>>>>,
}

/// A place in the room; dropped, it is free.
pub(crate) struct Place {
    room: Arc<Room>,
    address: IpAddr,
    pub(crate) guest: Arc<Guest>,
}

impl Room {
    pub(crate) fn new(total: usize, per_address: usize) -> Arc<Self> {
        Arc::new(Self { total, per_address, guests: Mutex::default() })
    }

    fn guests(&self) -> MutexGuard<'_, HashMap<IpAddr, VecDeque<Arc<Guest>>>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from an address, if there is one or one can be made.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = owner(address);
        let mut guests = self.guests();
        let own = guests.entry(address).or_default();
        if own.len() >= self.per_address && !make_way(own) {
            return None;
        }
        if guests.values().map(VecDeque::len).sum::<usize>() >= self.total {
            let mut crowds: Vec<_> = guests.values_mut().collect();
            crowds.sort_by_key(|crowd| std::cmp::Reverse(crowd.len()));
            if !crowds.into_iter().any(make_way) {
                // Nobody of this address is here if nobody came in.
                guests.retain(|_, crowd| !crowd.is_empty());
                return None;
            }
        }
        let guest = Arc::new(Guest::default());
        guests.entry(address).or_default().push_back(guest.clone());
        Some(Place { room: self.clone(), address, guest })
    }
}

// Sends away who has waited longest without a request.
fn make_way(crowd: &mut VecDeque<Arc<Guest>>) -> bool {
    let idle = crowd.iter().position(|guest| !guest.busy.load(Ordering::Relaxed));
    let Some(guest) = idle.and_then(|at| crowd.remove(at)) else {
        return false;
    };
    guest.leave.notify_one();
    true
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut guests = self.room.guests();
        if let Some(crowd) = guests.get_mut(&self.address) {
            crowd.retain(|guest| !Arc::ptr_eq(guest, &self.guest));
            if crowd.is_empty() {
                guests.remove(&self.address);
            }
        }
    }
}

fn owner(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & PREFIX).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn who_waits_gives_way_and_who_works_does_not() {
        let room = Room::new(10, 2);
        let (first, second) =
            (room.enter(ip("10.0.0.1")).unwrap(), room.enter(ip("10.0.0.1")).unwrap());
        first.guest.set_busy(true);
        let third = room.enter(ip("10.0.0.1")).expect("the second gives way");
        second.guest.told_to_leave().await;
        third.guest.set_busy(true);
        assert!(room.enter(ip("10.0.0.1")).is_none());
        assert!(room.enter(ip("10.0.0.2")).is_some(), "others have their own");
        drop(first);
        assert!(room.enter(ip("10.0.0.1")).is_some());
    }

    #[tokio::test]
    async fn the_greatest_crowd_gives_way_to_strangers() {
        let room = Room::new(3, 3);
        let crowd: Vec<_> = (0..2).map(|_| room.enter(ip("10.0.0.1")).unwrap()).collect();
        let _lone = room.enter(ip("10.0.0.2")).unwrap();
        assert!(room.enter(ip("10.0.0.3")).is_some());
        crowd[0].guest.told_to_leave().await;
    }

    #[test]
    fn a_network_of_one_owner_counts_as_one() {
        assert_eq!(owner(ip("2001:db8::1")), owner(ip("2001:db8::ffff:2")));
        assert_ne!(owner(ip("2001:db8:0:1::1")), owner(ip("2001:db8::1")));
        assert_eq!(owner(ip("::ffff:10.0.0.1")), ip("10.0.0.1"));
    }
}
