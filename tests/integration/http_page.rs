//! The page at `/` and its files.

use crate::support::served::Served;

#[tokio::test]
async fn the_page_and_its_files_are_served_with_types_tags_and_a_strict_policy() {
    let server = Served::over(&[]).await;
    let page = server.get("/").await;
    assert_eq!(page.status(), 200);
    let headers = page.headers().clone();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = page.text().await.unwrap();
    assert_eq!(server.get("/index.html").await.text().await.unwrap(), html);

    let tags = html.split('<').filter(|tag| tag.starts_with("script") || tag.starts_with("link"));
    let files: Vec<&str> = tags.filter_map(|tag| tag.split_once("src=\"").or(tag.split_once("href=\""))?.1.split('"').next()).collect();
    assert!(!files.is_empty());
    for file in files {
        assert!(!file.starts_with('/'), "{file} would not be found under a prefix");
        let path = format!("/{}", file.trim_start_matches("./"));
        let answer = server.get(&path).await;
        assert_eq!(answer.status(), 200, "{file}");
        let etag = answer.headers()["etag"].clone();
        let text = answer.bytes().await.unwrap();
        let known = server.request("GET", &path).header("if-none-match", etag).send().await.unwrap();
        assert_eq!(known.status(), 304, "{file}");
        let head = server.request("HEAD", &path).send().await.unwrap();
        assert_eq!(head.headers()["content-length"].to_str().unwrap(), text.len().to_string(), "{file}");
    }
    server.stop().await;
}

#[tokio::test]
async fn no_page_replaces_an_answer_of_the_api() {
    let server = Served::over(&[]).await;
    for path in ["/jobs/x", "/api/v1/nothing", "/nothing", "/nothing/index.html", "/v1/index.html", "/overviews"] {
        let answer = server.request("GET", path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{path}");
    }
    server.stop().await;
}
