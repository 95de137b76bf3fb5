//! The web page in a browser: its size, how soon it is there, how smoothly it moves, and what it costs the program.

mod dashboard;
mod server;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;
use vigie_testkit::Process;
use vigie_testkit::tools::{CHROMIUM, NODE};

use crate::Options;
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};
use server::Server;

/// The time that a browser on a busy machine may take for a command.
const LATE: Duration = Duration::from_secs(180);
/// The time after which the start of the program and the opening of the page no longer take processor time.
const SETTLES: Duration = Duration::from_secs(15);
/// How long an open page is watched: three refreshes of the overview.
const WATCHED: Duration = Duration::from_secs(90);

/// A load of the overview.
#[derive(Deserialize)]
struct Load {
    files: u64,
    /// As they are sent.
    bytes: f64,
    /// Milliseconds after the navigation.
    paint: f64,
    drawn: f64,
    panels: usize,
}

/// A drag in a chart of the dashboard.
#[derive(Deserialize)]
struct Drag {
    panels: usize,
    /// The charts that show the crosshair.
    crosshairs: usize,
    /// A second.
    frames: f64,
    /// The longest frame, in milliseconds.
    longest: f64,
}

#[derive(Deserialize)]
struct Opened {}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let program = options.vigie.as_ref();
    let program = program.context("--vigie is needed: the program whose page is measured")?;
    heading("The web page");
    let directory = TempDir::with_prefix("vigie-bench-page-")?;
    let server = Server::start(program, directory.path()).await?;
    let mut browser = Browser::start(&server)?;
    let (mut loads, mut drags) = (Vec::<Load>::new(), Vec::<Drag>::new());
    for round in 0..=options.rounds {
        let (load, drag) = (browser.ask("load").await?, browser.ask("drag").await?);
        // The first round warms up.
        if round > 0 {
            loads.push(load);
            drags.push(drag);
        }
    }
    sleep(SETTLES).await;
    let alone = server.cpu(WATCHED).await?;
    let Opened {} = browser.ask("open").await?;
    sleep(SETTLES).await;
    let opened = server.cpu(WATCHED).await?;
    print(options, &loads, &drags, [alone, opened])
}

/// The browser, driven by a script of the page.
struct Browser(Process);

impl Browser {
    fn start(server: &Server) -> anyhow::Result<Self> {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../page");
        ensure!(
            page.join("node_modules").is_dir(),
            "page/node_modules is missing: run `cargo xtask page`"
        );
        let mut command = Command::new(NODE.find()?);
        command
            .arg("bench/measure.js")
            .current_dir(page)
            .env("PAGE_ADMIN", format!("http://{}", server.admin))
            .env("PAGE_CHROMIUM", CHROMIUM.find()?);
        Ok(Self(Process::spawn("page/bench/measure.js", command)?))
    }

    async fn ask<T: DeserializeOwned>(&mut self, command: &str) -> anyhow::Result<T> {
        let answer = self.0.ask(&json!({"cmd": command}), LATE).await;
        let answer = answer.with_context(|| self.0.tail())?;
        serde_json::from_value(answer).with_context(|| format!("the answer to {command}"))
    }
}

fn print(
    options: &Options,
    loads: &[Load],
    drags: &[Drag],
    [alone, opened]: [f64; 2],
) -> anyhow::Result<()> {
    let (Some(load), Some(drag)) = (loads.first(), drags.first()) else {
        return Ok(());
    };
    ensure!(
        load.files >= 3,
        "the page is not part of the program: run `cargo xtask page` first"
    );
    for drag in drags {
        ensure!(
            (drag.panels, drag.crosshairs) == (dashboard::CHARTS, dashboard::CHARTS),
            "{} of {} charts show the crosshair",
            drag.crosshairs,
            drag.panels
        );
    }
    note(&format!(
        "In Chromium without a graphics card, on loopback, with an empty cache: the overview ({} panels) over 24 h of {} series every 15 s; \
         and a dashboard of {} charts with {} points each, while the selection of one is dragged and the crosshair is shown in all. \
         Medians of {} rounds (least–greatest). The processor time is that of the program over {} s, without a page and with the overview open, \
         which is refreshed every 30 s, and its status every 5 s.",
        load.panels,
        figure(crate::queries::LIKE_OURS as f64),
        drag.panels,
        dashboard::POINTS,
        options.rounds,
        WATCHED.as_secs(),
    ));
    let of_loads = |value: fn(&Load) -> f64| loads.iter().map(value).collect::<Vec<_>>();
    let of_drags = |value: fn(&Drag) -> f64| drags.iter().map(value).collect::<Vec<_>>();
    let kilobytes = load.bytes / 1e3;
    let paint = of_loads(|load| load.paint);
    let drawn = of_loads(|load| load.drawn);
    let frames = of_drags(|drag| drag.frames);
    let mut table = Table::new(["what", "measured"]);
    for (what, measured) in [
        ("all files as they are sent, kB", figure(kilobytes)),
        ("first paint of content, ms", spread(&paint, figure)),
        (
            "all panels of the overview drawn, ms",
            spread(&drawn, figure),
        ),
        ("frames a second while dragging", spread(&frames, figure)),
        (
            "the longest frame while dragging, ms",
            spread(&of_drags(|drag| drag.longest), figure),
        ),
        (
            "the program without a page, % of a core",
            figure(100.0 * alone),
        ),
        (
            "the program with an open page, % of a core",
            figure(100.0 * opened),
        ),
    ] {
        table.row([what.into(), measured]);
    }
    table.print();
    let mut targets = Targets::new();
    targets.at_most("compressed size of the page", 90.0, kilobytes, " kB");
    targets.at_most("first paint", 200.0, median(&paint), " ms");
    targets.at_most("all panels of the overview", 1_000.0, median(&drawn), " ms");
    let what = "frames a second while dragging over 60 charts";
    targets.at_least(what, 30.0, median(&frames), "");
    let what = "an open page, of a core";
    targets.at_most(what, 1.0, 100.0 * (opened - alone), " %");
    targets.print();
    Ok(())
}
