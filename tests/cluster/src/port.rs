//! Ports that stay ours while no program listens on them.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use crate::error::ClusterError;

/// A port of 127.0.0.1, kept for the programs of one cluster.
///
/// A socket is bound to it that never listens, and that allows the same user to bind another one
/// (`SO_REUSEPORT`). So nobody else is given the port while the API server is away, and whoever connects
/// meanwhile is refused, as on a real outage.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _reserved: Socket,
}

impl Port {
    pub(crate) fn reserve() -> Result<Self, ClusterError> {
        let reserved = Socket::new(Domain::IPV4, Type::STREAM, None).map_err(ClusterError::Port)?;
        #[cfg(unix)]
        reserved.set_reuse_port(true).map_err(ClusterError::Port)?;
        // Number 0: the system chooses one that nobody has, shared or not.
        reserved.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).map_err(ClusterError::Port)?;
        let address = reserved.local_addr().map_err(ClusterError::Port)?;
        let number = address.as_socket().map_or(0, |address| address.port());
        Ok(Self { number, _reserved: reserved })
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

    use super::Port;

    #[test]
    fn a_reserved_port_is_refused_to_others_and_answers_nobody() {
        let port = Port::reserve().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        assert!(TcpListener::bind(address).is_err(), "someone who does not share is refused");
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
        let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        other.set_reuse_port(true).unwrap();
        other.bind(&address.into()).unwrap();
        other.listen(1).unwrap();
        TcpStream::connect(address).unwrap();
    }
}
