//! An address of its own for each test.

use std::net::Ipv4Addr;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// A loopback address that no other test uses, where there are several: a port of it that was closed
/// is not taken by another test.
pub(crate) fn loopback() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if cfg!(any(target_os = "linux", windows)) {
        let [_, _, high, low] = process::id().to_be_bytes();
        Ipv4Addr::new(
            127,
            1 + high % 250,
            low,
            1 + u8::try_from(NEXT.fetch_add(1, Ordering::Relaxed) % 250).unwrap(),
        )
    } else {
        Ipv4Addr::LOCALHOST
    }
}
