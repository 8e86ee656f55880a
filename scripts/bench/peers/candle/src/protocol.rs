//! The protocol of all competitors, as in ../../protocol.js: one line of JSON per message.

use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::time::Instant;

pub type Answer = Result<Value, Box<dyn Error>>;

/// A model that can answer requests.
pub trait Competitor {
    fn answer(&mut self, action: &str, request: Value) -> Answer;
}

/// Single calls to time, after untimed ones.
#[derive(Deserialize)]
pub struct Request {
    pub count: usize,
    #[serde(rename = "warmUp")]
    pub warm_up: usize,
}

/// Creates a competitor from the first line and answers requests until the input ends.
pub fn serve<C: Competitor>(version: &str, create: impl Fn(Value) -> Result<C, Box<dyn Error>>) {
    let mut competitor = None;
    for line in stdin().lines().map_while(Result::ok) {
        let answer = handle(&line, version, &create, &mut competitor)
            .unwrap_or_else(|error| json!({ "error": error.to_string() }));
        println!("{answer}");
        stdout().flush().ok();
    }
}

fn handle<C: Competitor>(
    line: &str,
    version: &str,
    create: impl Fn(Value) -> Result<C, Box<dyn Error>>,
    competitor: &mut Option<C>,
) -> Answer {
    let message: Value = serde_json::from_str(line)?;
    let Some(ready) = competitor else {
        let idle = peak_bytes()?;
        *competitor = Some(create(message)?);
        return Ok(json!({ "ready": { "version": version, "idleBytes": idle } }));
    };
    match message["do"].as_str() {
        Some("memory") => Ok(json!({ "peakBytes": peak_bytes()? })),
        Some(action) => ready.answer(&action.to_owned(), message),
        None => Err("a request names what to do".into()),
    }
}

/// Milliseconds of single calls.
pub fn time_each<E>(
    request: &Request,
    mut work: impl FnMut() -> Result<(), E>,
) -> Result<Vec<f64>, E> {
    for _ in 0..request.warm_up {
        work()?;
    }
    (0..request.count)
        .map(|_| {
            let start = Instant::now();
            work()?;
            Ok(1000.0 * start.elapsed().as_secs_f64())
        })
        .collect()
}

/// Peak memory of this process so far; Linux alone tells it.
fn peak_bytes() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: u64 = line
        .ok_or("no peak memory")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(1024 * kilobytes)
}
