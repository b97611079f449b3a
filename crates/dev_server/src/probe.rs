//! Asks a port of this machine whether a server is there.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// `SSLRequest` of the frontend/backend protocol: length 8, code 80877103. It needs no user, costs no backend start,
/// and only PostgreSQL answers it with one letter.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Whether anybody listens on `port` of 127.0.0.1: a fraction of a millisecond.
pub(crate) fn listens(port: u16, timeout: Duration) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), timeout).is_ok()
}

/// Whether PostgreSQL answers on `port` of 127.0.0.1 within `timeout`.
///
/// More certain than [`listens`], and dearer: a container engine's proxy accepts a connection before the server inside
/// does, and the server starts a process for it.
pub(crate) fn answers(port: u16, timeout: Duration) -> bool {
    let ask = || {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.write_all(&SSL_REQUEST)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    matches!(ask(), Ok([b'S' | b'N']))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn answered_with(answer: &'static [u8]) -> bool {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 8];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(answer).unwrap();
        });
        let answers = answers(port, Duration::from_secs(5));
        server.join().unwrap();
        answers
    }

    #[test]
    fn a_letter_is_postgresql() {
        assert!(answered_with(b"S"));
        assert!(answered_with(b"N"));
    }

    #[test]
    fn anything_else_is_not() {
        assert!(!answered_with(b"HTTP/1.1 400 Bad Request"));
        assert!(!answered_with(b""));
    }

    #[test]
    fn nobody_is_not() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert!(!answers(port, Duration::from_secs(1)));
        assert!(!listens(port, Duration::from_secs(1)));
    }
}
