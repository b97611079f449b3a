//! Which port the server listens on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::error::Error;
use crate::note::Note;

/// Where ports of projects are: below the range that systems hand out by themselves.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// The port of a project whose hash is `hash`: always the same, so that its URL is too.
pub(crate) fn of_project(hash: &str) -> u16 {
    let number = u64::from_str_radix(hash, 16).unwrap_or_default() % u64::from(COUNT);
    FIRST + u16::try_from(number).unwrap_or_default()
}

/// The port after `port`, beginning again after the last one.
pub(crate) fn after(port: u16) -> u16 {
    if (FIRST..FIRST + COUNT - 1).contains(&port) { port + 1 } else { FIRST }
}

/// Chooses a port: the one that was `asked` for or none at all; otherwise `preferred` or the next one that `is_free`.
pub(crate) fn choose(asked: Option<u16>, preferred: u16, is_free: impl Fn(u16) -> bool) -> Result<u16, Error> {
    if let Some(port) = asked {
        return if is_free(port) { Ok(port) } else { Err(Error::PortTaken { port }) };
    }
    std::iter::successors(Some(preferred), |port| Some(after(*port)))
        .take(usize::from(COUNT))
        .find(|port| is_free(*port))
        .ok_or(Error::NoFreePort)
}

/// Says that the server got another port than the `preferred` one, where nobody `asked` for it.
pub(crate) fn moved(asked: Option<u16>, preferred: u16, used: u16) -> Option<Note> {
    (asked.is_none() && used != preferred).then_some(Note::PortTaken { taken: preferred, used })
}

/// Whether nobody listens on `port` of this machine. Somebody may a moment later: whoever binds it must be ready to
/// ask again.
pub(crate) fn is_free(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // Binding alone succeeds on macOS beside a listener on all addresses.
    if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
        return false;
    }
    !matches!(TcpListener::bind(address), Err(error) if error.kind() == io::ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_has_one_port_in_the_range() {
        // Once chosen for good: whoever has its URL in a configuration file keeps it.
        assert_eq!(of_project("e3b0c44298fc"), 20_000 + (0xe3b0_c442_98fc_u64 % 10_000) as u16);
        for hash in ["000000000000", "ffffffffffff", "e3b0c44298fc"] {
            assert!((20_000..30_000).contains(&of_project(hash)), "{hash}");
        }
    }

    #[test]
    fn the_range_begins_again() {
        assert_eq!(after(20_000), 20_001);
        assert_eq!(after(29_999), 20_000);
        assert_eq!(after(5432), 20_000);
    }

    #[test]
    fn the_preferred_port_is_taken_without_a_note() {
        assert_eq!(choose(None, 20_007, |_| true).unwrap(), 20_007);
        assert_eq!(moved(None, 20_007, 20_007), None);
    }

    #[test]
    fn a_taken_port_gives_the_next_one_and_a_note() {
        assert_eq!(choose(None, 29_999, |port| port == 20_001).unwrap(), 20_001);
        let note = Note::PortTaken { taken: 29_999, used: 20_001 };
        assert_eq!(moved(None, 29_999, 20_001), Some(note));
    }

    #[test]
    fn an_asked_port_is_that_one_or_an_error() {
        assert_eq!(choose(Some(5432), 20_000, |_| true).unwrap(), 5432);
        assert_eq!(moved(Some(5432), 20_000, 5432), None);
        assert!(matches!(choose(Some(5432), 20_000, |_| false), Err(Error::PortTaken { port: 5432 })));
        assert!(matches!(choose(None, 20_000, |_| false), Err(Error::NoFreePort)));
    }

    #[test]
    fn a_listener_is_seen() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        drop(listener);
        // A program that another test starts has all that is open here until it runs.
        let mut tries = std::iter::repeat_with(|| std::thread::sleep(Duration::from_millis(20))).take(250);
        assert!(is_free(port) || tries.any(|()| is_free(port)));
    }
}
