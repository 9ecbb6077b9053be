//! Places of requests: what anybody may ask takes some of the validator, and no more, for as long as
//! the work lasts. Who asks and hangs up leaves no work behind that nobody counts.

use super::Failure;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{from_fn, Next};
use axum::response::{IntoResponse, Response};
use axum::Router;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests in work at once.
const ROOM: usize = 8;

/// Routes with room of their own: what comes besides is told to come again.
pub(super) fn with_room<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    let room = Arc::new(Semaphore::new(ROOM));
    routes.route_layer(from_fn(move |request: Request, next: Next| {
        let place = room.clone().try_acquire_owned().ok();
        async move {
            match place {
                Some(place) => to_its_end(place, next.run(request)).await,
                None => Failure::busy().into_response(),
            }
        }
    }))
}

/// Routes with room of their own: what comes besides waits in a line, which who hangs up leaves.
pub(super) fn in_line<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    let room = Arc::new(Semaphore::new(ROOM));
    routes.route_layer(from_fn(move |request: Request, next: Next| {
        let room = room.clone();
        async move {
            match room.acquire_owned().await {
                Ok(place) => to_its_end(place, next.run(request)).await,
                Err(_) => Failure::busy().into_response(),
            }
        }
    }))
}

/// The work goes on, and keeps its place, also if who asked has gone.
async fn to_its_end(
    place: OwnedSemaphorePermit,
    work: impl Future<Output = Response> + Send + 'static,
) -> Response {
    let work = tokio::spawn(async move {
        let answer = work.await;
        drop(place);
        answer
    });
    work.await.unwrap_or_else(|error| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlook::Newest;
    use axum::routing::{get, post};
    use cicada_program::Server;
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::sleep;

    /// The server of all programs, over these routes.
    async fn served(routes: Router) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(Server::of(listener).serve(routes, std::future::pending()));
        address
    }

    async fn ask(address: SocketAddr) -> u16 {
        let answer = reqwest::get(format!("http://{address}/")).await.unwrap();
        answer.status().as_u16()
    }

    /// Asks, and hangs up after a while.
    async fn ask_and_go(address: SocketAddr, after: Duration) {
        let stream = TcpStream::connect(address).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.writable().await.unwrap();
        assert_eq!(stream.try_write(head.as_bytes()).unwrap(), head.len());
        sleep(after).await;
    }

    /// Routes of work that lasts until the semaphore says so, and how often it was begun.
    fn slow(end: &Arc<Semaphore>) -> (Router, Arc<AtomicUsize>) {
        let (end, begun) = (end.clone(), Arc::new(AtomicUsize::new(0)));
        let count = begun.clone();
        let work = move || {
            let (end, count) = (end.clone(), count.clone());
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                end.acquire().await.unwrap().forget();
            }
        };
        (Router::new().route("/", get(work)), begun)
    }

    #[tokio::test]
    async fn what_has_no_room_is_told_to_come_again() {
        let end = Arc::new(Semaphore::new(0));
        let address = served(with_room(slow(&end).0)).await;
        let nine = futures::future::join_all((0..ROOM + 1).map(|_| async {
            let status = ask(address).await;
            if status == 503 {
                // Only then do the others end.
                end.add_permits(ROOM);
            }
            status
        }));
        let statuses = nine.await;
        assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), ROOM);
    }

    #[tokio::test]
    async fn who_asks_and_hangs_up_keeps_its_place_until_the_work_is_done() {
        let end = Arc::new(Semaphore::new(0));
        let (routes, begun) = slow(&end);
        let own = Router::new().route("/", post(|| async {}));
        let address = served(Router::new().merge(with_room(routes)).merge(own)).await;
        for _ in 0..25 {
            let eight = (0..8).map(|_| ask_and_go(address, Duration::from_millis(10)));
            futures::future::join_all(eight).await;
        }
        assert_eq!(begun.load(Ordering::SeqCst), ROOM, "of 200");
        assert_eq!(ask(address).await, 503);
        let post = reqwest::Client::new().post(format!("http://{address}/")).send();
        assert_eq!(post.await.unwrap().status(), 200, "what has no need of room");
        end.add_permits(ROOM + 1);
        while ask(address).await == 503 {}
    }

    #[tokio::test]
    async fn what_is_found_for_all_is_found_once_even_if_all_hang_up() {
        let (newest, begun) =
            (Arc::new(Newest::<u64, u32>::default()), Arc::new(AtomicUsize::new(0)));
        let count = begun.clone();
        let work = move || {
            let (newest, count) = (newest.clone(), count.clone());
            async move {
                let find = async {
                    count.fetch_add(1, Ordering::SeqCst);
                    sleep(Duration::from_millis(100)).await;
                    Ok(7)
                };
                newest.of(1, true, find).await.map(|found| found.to_string()).unwrap()
            }
        };
        let address = served(in_line(Router::new().route("/", get(work)))).await;
        let gone = (0..100).map(|_| ask_and_go(address, Duration::from_millis(50)));
        let (_, stays) = futures::future::join(futures::future::join_all(gone), async {
            // At the end of the line.
            sleep(Duration::from_millis(40)).await;
            let begin = Instant::now();
            (ask(address).await, begin.elapsed())
        })
        .await;
        assert_eq!((begun.load(Ordering::SeqCst), stays.0), (1, 200));
        assert!(stays.1 < Duration::from_secs(2), "{:?}", stays.1);
    }
}
