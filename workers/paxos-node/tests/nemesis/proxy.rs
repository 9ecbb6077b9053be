//! A small proxy before each node: it knows who speaks from the header of the first request, and
//! holds back, delays or cuts what the nemesis says.

use cicada_consensus::Seat;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// How one node reaches another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Nothing gets through.
    pub cut: bool,
    /// Everything is this much later, in milliseconds.
    pub delay_ms: u64,
    /// How many of 1,024 pieces break the connection.
    pub loss: u64,
}

/// All links, by sender and receiver.
pub struct Links {
    nodes: usize,
    links: Mutex<Vec<Link>>,
    pieces: AtomicU64,
}

impl Links {
    pub fn new(nodes: u8) -> Arc<Self> {
        let nodes = usize::from(nodes);
        let links = Mutex::new(vec![Link::default(); nodes * nodes]);
        Arc::new(Self { nodes, links, pieces: AtomicU64::new(0) })
    }

    /// Sets every link.
    pub fn set(&self, link: impl Fn(Seat, Seat) -> Link) {
        let mut links = self.links.lock().unwrap();
        for from in 0..self.nodes {
            for to in 0..self.nodes {
                let seat = |at: usize| Seat::try_from(at).unwrap();
                links[from * self.nodes + to] = link(seat(from), seat(to));
            }
        }
    }

    fn get(&self, from: Seat, to: Seat) -> Link {
        self.links.lock().unwrap()[usize::from(from) * self.nodes + usize::from(to)]
    }

    // Whether this piece is the one that gets lost.
    fn loses(&self, link: Link) -> bool {
        let piece = self.pieces.fetch_add(1, Ordering::Relaxed);
        link.loss > 0 && piece.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 1023 < link.loss
    }
}

/// Stands before the node `seat` at `node`.
pub async fn serve(listener: TcpListener, node: SocketAddr, seat: Seat, links: Arc<Links>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, node, seat, links.clone()));
    }
}

async fn connection(mut stream: TcpStream, node: SocketAddr, to: Seat, links: Arc<Links>) {
    let mut head = vec![0; 4_096];
    let Ok(length) = stream.read(&mut head).await else {
        return;
    };
    head.truncate(length);
    let Some(from) = sender(&head).filter(|seat| usize::from(*seat) < links.nodes) else {
        return;
    };
    let Ok(onward) = TcpStream::connect(node).await else {
        return;
    };
    let _ = (stream.set_nodelay(true), onward.set_nodelay(true));
    let ((read, write), (read_back, write_on)) = (stream.into_split(), onward.into_split());
    let there = pass(head, read, write_on, links.clone(), from, to);
    let back = pass(Vec::new(), read_back, write, links, to, from);
    // The first end ends both.
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}

fn sender(head: &[u8]) -> Option<Seat> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let seat = text.split("x-cicada-seat: ").nth(1)?;
    seat.split("\r\n").next()?.parse().ok()
}

// Passes bytes on in one direction.
async fn pass(
    first: Vec<u8>,
    mut read: OwnedReadHalf,
    mut write: OwnedWriteHalf,
    links: Arc<Links>,
    from: Seat,
    to: Seat,
) {
    let mut piece = first;
    loop {
        if !piece.is_empty() {
            let link = links.get(from, to);
            // What does not get through is never heard of again.
            if link.cut || links.loses(link) {
                return;
            }
            if link.delay_ms > 0 {
                tokio::time::sleep(Duration::from_millis(link.delay_ms)).await;
            }
            if write.write_all(&piece).await.is_err() {
                return;
            }
        }
        piece = vec![0; 64 * 1024];
        match read.read(&mut piece).await {
            Ok(length) if length > 0 => piece.truncate(length),
            _ => return,
        }
    }
}
