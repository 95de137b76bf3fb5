//! Prometheus' own command line client.

use std::process::Command;

use vigie_testkit::tools;

use crate::common::ours;

/// The output of `promtool`.
async fn promtool(arguments: Vec<String>) -> String {
    let output = tokio::task::spawn_blocking(move || {
        let promtool = tools::PROMTOOL.find().unwrap();
        Command::new(promtool).args(&arguments).output().unwrap()
    });
    let output = output.await.unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{text}");
    text.trim_end().to_owned()
}

fn words(text: &str, url: &str) -> Vec<String> {
    text.split(' ')
        .map(|word| word.replace("URL", url))
        .collect()
}

#[tokio::test]
async fn queries() {
    let url = format!("http://{}", ours().await);
    for (command, printed) in [
        (
            "query instant --time 1700000100 URL sum(http_requests_total)by(job)",
            "{job=\"api\"} => 18.6 @[1700000100]\n{job=\"web\"} => 60000000000 @[1700000100]",
        ),
        ("query instant --time 4 URL 1+1", "scalar: 2 @[4]"),
        (
            "query range --start 1700000100 --end 1700000130 --step 15s URL odd{k=\"inf\"}",
            "odd{k=\"inf\"} =>\n+Inf @[1700000100]\n+Inf @[1700000115]\n+Inf @[1700000130]",
        ),
        (
            "query series --match odd{k=~\"i.*|t.*\"} --start 1700000000 --end 1700003600 URL",
            "{__name__=\"odd\", k=\"inf\"}\n{__name__=\"odd\", k=\"tiny\"}",
        ),
        (
            "query labels --start 1700000000 --end 1700003600 URL job",
            "api\nweb",
        ),
    ] {
        assert_eq!(promtool(words(command, &url)).await, printed, "{command}");
    }
}
