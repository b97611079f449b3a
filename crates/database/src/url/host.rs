//! Where a server listens.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Tcp(String),
    SocketDirectory(String),
}
