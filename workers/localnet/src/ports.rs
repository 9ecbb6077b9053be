//! Ports that nothing uses now, for tests.

use std::net::TcpListener;
use std::sync::Mutex;

/// Ports of loopback that are free, one by one.
///
/// # Panics
/// If there are none.
pub fn free_ports(count: u8) -> Vec<u16> {
    let bound = |_| TcpListener::bind("127.0.0.1:0").expect("a free port");
    // All at once, or one port could come twice.
    let all: Vec<TcpListener> = (0..count).map(bound).collect();
    all.iter().map(|one| one.local_addr().expect("an address").port()).collect()
}

/// The first of `count` neighbouring ports that are free; no call gives a port twice.
///
/// # Panics
/// If there are none.
pub fn free_range(count: u16) -> u16 {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let mut next = NEXT.lock().expect("nobody panics while looking for ports");
    if *next == 0 {
        // Another process of the same tests starts elsewhere.
        *next = 20_000 + u16::try_from(std::process::id() % 10_000).expect("below 10,000");
    }
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    // Below the range from which the system gives ports to connections.
    let first = (*next..32_700 - count)
        .step_by(usize::from(count))
        .find(|first| (*first..*first + count).all(free))
        .expect("some ports are free");
    *next = first + count;
    first
}
