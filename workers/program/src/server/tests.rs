use super::*;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

// A server with these limits; it ends when the sender goes.
async fn server(limits: Limits) -> (SocketAddr, oneshot::Sender<()>) {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap().within(limits);
    let address = server.address().unwrap();
    let routes = Router::new()
        .route(
            "/",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
        )
        .route("/echo", post(|body: String| async move { body }))
        .route("/never", get(std::future::pending::<()>));
    let (end, ended) = oneshot::channel::<()>();
    tokio::spawn(server.serve(routes, async { drop(ended.await) }));
    (address, end)
}

async fn ask(address: SocketAddr, head: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = stream.read(&mut answer).await.unwrap_or(0);
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    (stream, answer)
}

async fn get_root(address: SocketAddr) -> String {
    ask(address, &format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n")).await.1
}

#[tokio::test]
async fn a_thousand_half_sent_heads_stop_nobody() {
    let (address, _end) = server(Limits { per_address: 64, ..Limits::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..1_000 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-").await.unwrap();
        silent.push(stream);
    }
    let answer = get_root(address).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_slow_body_gives_way_as_well() {
    let (address, _end) = server(Limits { per_address: 2, ..Limits::default() }).await;
    let slow = format!("POST /echo HTTP/1.1\r\nhost: {address}\r\ncontent-length: 9\r\n\r\nabc");
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(slow.as_bytes()).await.unwrap();
        open.push(stream);
    }
    assert!(get_root(address).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn heads_bodies_and_answers_have_their_time() {
    let short = Duration::from_millis(100);
    let limits = Limits { head: short, body: short, answer: short, ..Limits::default() };
    let (address, _end) = server(limits).await;
    let (mut stream, _) = ask(address, "GET / HTTP/1.1\r\nhost: x\r\n").await;
    assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "the server has closed");
    let head = format!("POST /echo HTTP/1.1\r\nhost: {address}\r\ncontent-length: 9\r\n\r\nabc");
    assert!(ask(address, &head).await.1.starts_with("HTTP/1.1 408"));
    let head = format!("GET /never HTTP/1.1\r\nhost: {address}\r\n\r\n");
    assert!(ask(address, &head).await.1.starts_with("HTTP/1.1 408"));
}

#[tokio::test]
async fn too_long_a_body_is_refused() {
    let (address, _end) = server(Limits { body_bytes: 4, ..Limits::default() }).await;
    let post = |body: &str| {
        let length = body.len();
        format!("POST /echo HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    assert!(ask(address, &post("four")).await.1.ends_with("\r\n\r\nfour"));
    assert!(ask(address, &post("five!")).await.1.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn foreign_pages_are_refused_and_clients_have_an_address() {
    let (address, _end) = server(Limits::default()).await;
    assert!(get_root(address).await.contains("127.0.0.1:"));
    let foreign = ask(address, "GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n").await.1;
    assert!(foreign.starts_with("HTTP/1.1 403") && foreign.contains("error"), "{foreign}");
    let page = format!("GET / HTTP/1.1\r\nhost: {address}\r\norigin: http://evil.example\r\n\r\n");
    assert!(ask(address, &page).await.1.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn the_end_waits_for_what_is_under_way() {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = server.address().unwrap();
    let (begun, has_begun) = oneshot::channel::<()>();
    let (go, may_go) = oneshot::channel::<()>();
    let (begun, may_go) =
        (std::sync::Mutex::new(Some(begun)), tokio::sync::Mutex::new(Some(may_go)));
    let slow = Arc::new((begun, may_go));
    let handler = move || async move {
        drop(slow.0.lock().unwrap().take());
        drop(slow.1.lock().await.take().unwrap().await);
        "done"
    };
    let (end, ended) = oneshot::channel::<()>();
    let routes = Router::new().route("/", get(handler));
    let serving = tokio::spawn(server.serve(routes, async { drop(ended.await) }));
    let asked = tokio::spawn(async move { get_root(address).await });
    let _ = has_begun.await;
    drop(end);
    drop(go);
    assert!(asked.await.unwrap().ends_with("done"));
    serving.await.unwrap();
}
