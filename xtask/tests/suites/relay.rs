//! A relay between a program and its server, so that a kill comes at a request, whatever the machine's speed.

use std::io::{Read as _, Write as _, copy};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ::database::DatabaseUrl;

/// When a program is killed.
#[derive(Clone, Copy, Default)]
pub(crate) enum Moment {
    #[default]
    Never,
    /// With this request, counted from 1 over all connections: every second one after the server has got it, the others
    /// before.
    Request(usize),
    /// Before the server gets the first request that holds this text.
    Text(&'static str),
    /// Never; but to the first [`TIMES`] requests that hold one of these texts the answer is that the server has ended them.
    CutShort(&'static [&'static str]),
}

const TIMES: usize = 4;

/// SQLSTATE 57014, and that the session is ready.
const CUT_SHORT: &[u8] = b"E\0\0\0\x25SERROR\0C57014\0Mended by a relay\0\0Z\0\0\0\x05I";

/// How the program ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Killed,
    /// By itself, after so many requests.
    Finished(usize),
}

/// Starts a program on a URL that leads to the database through a relay, and kills it at its moment.
#[track_caller]
pub(crate) fn run(url: &DatabaseUrl, moment: Moment, program: impl FnOnce(&str) -> Command) -> End {
    let target = url.for_sqlx();
    let target = (target.get_host().to_owned(), target.get_port());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let watch = Arc::new(Watch { moment, ..Watch::default() });
    let is_over = Arc::new(AtomicBool::new(false));
    let accepting = {
        let (watch, is_over) = (watch.clone(), is_over.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                relay(client, TcpStream::connect((&*target.0, target.1)).unwrap(), watch.clone());
            }
        })
    };
    let mut command = program(&through(url, port));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = loop {
        if watch.is_reached.load(Ordering::Relaxed) {
            child.kill().unwrap();
            child.wait().unwrap();
            break End::Killed;
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{command:?} failed: {status}");
            break End::Finished(watch.requests.load(Ordering::Relaxed));
        }
        thread::sleep(Duration::from_millis(1));
    };
    is_over.store(true, Ordering::Relaxed);
    // Wakes it.
    drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
    accepting.join().unwrap();
    if let Moment::CutShort(texts) = moment {
        let mut cut_short = watch.cut_short.lock().unwrap().clone();
        cut_short.dedup();
        assert_eq!(cut_short, texts, "in this order, each in a row");
    }
    end
}

/// The same URL with another host and port.
fn through(url: &DatabaseUrl, port: u16) -> String {
    let text = url.for_libpq();
    let (login, rest) = text.split_once('@').unwrap();
    let (_, path) = rest.split_once('/').unwrap();
    format!("{login}@127.0.0.1:{port}/{path}")
}

#[derive(Default)]
struct Watch {
    moment: Moment,
    requests: AtomicUsize,
    cut_short: Mutex<Vec<&'static str>>,
    is_reached: AtomicBool,
}

/// What becomes of a request.
enum Fate {
    Delivered,
    CutShort,
    Last { is_delivered: bool },
}

impl Watch {
    /// The driver sends each request in one piece and waits for the answer.
    fn fate(&self, request: &[u8]) -> Fate {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        match self.moment {
            _ if self.is_reached.load(Ordering::Relaxed) => Fate::Last { is_delivered: false },
            Moment::Request(last) if number >= last => Fate::Last { is_delivered: last.is_multiple_of(2) },
            Moment::Text(text) if holds(request, text) => Fate::Last { is_delivered: false },
            Moment::CutShort(texts) if self.cuts_short(texts, request) => Fate::CutShort,
            _ => Fate::Delivered,
        }
    }
}

impl Watch {
    /// Whether one of the texts is in it that had not its times yet.
    fn cuts_short(&self, texts: &[&'static str], request: &[u8]) -> bool {
        let mut cut_short = self.cut_short.lock().unwrap();
        let is_left = |text: &str| cut_short.iter().filter(|other| **other == text).count() < TIMES;
        let found = texts.iter().find(|text| holds(request, text) && is_left(text));
        cut_short.extend(found);
        found.is_some()
    }
}

fn holds(request: &[u8], text: &str) -> bool {
    request.windows(text.len()).any(|part| part == text.as_bytes())
}

fn relay(mut client: TcpStream, mut server: TcpStream, watch: Arc<Watch>) {
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    thread::spawn(move || {
        drop(copy(&mut answers, &mut back));
        drop(back.shutdown(Shutdown::Write));
    });
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Some(request) = client.read(&mut buffer).ok().filter(|length| *length > 0).map(|n| &buffer[..n]) {
            let fate = watch.fate(request);
            if matches!(fate, Fate::CutShort) && client.write_all(CUT_SHORT).is_err() {
                break;
            }
            if matches!(fate, Fate::Delivered | Fate::Last { is_delivered: true }) && server.write_all(request).is_err()
            {
                break;
            }
            if matches!(fate, Fate::Last { .. }) {
                // The program is killed now, and its end of the connection closes.
                watch.is_reached.store(true, Ordering::Relaxed);
            }
        }
        drop(server.shutdown(Shutdown::Both));
    });
}
