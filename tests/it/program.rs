//! The program itself, as systemd would start it: a process with a configuration on the loopback.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::support::free_port;

/// How long anything may take: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running daemon, ended when dropped.
pub struct Program {
    /// Where clients send to.
    pub listener: SocketAddr,
    http: SocketAddr,
    metrics: SocketAddr,
    file: PathBuf,
    child: Child,
    log: Receiver<String>,
    /// Lines that came while something else was waited for.
    unheard: RefCell<VecDeque<String>>,
}

impl Program {
    /// Starts it with these sections beside those that keep it on the loopback. A port that was free may be another
    /// test's by the time it is bound: then others do.
    pub fn start(sections: &str) -> Self {
        (0..20).find_map(|_| Self::try_start(sections)).expect("a program that stays")
    }

    fn try_start(sections: &str) -> Option<Self> {
        let listener = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let (http, metrics) = (free_tcp_port(), free_tcp_port());
        let file = std::env::temp_dir().join(format!("roundturn-program-{}.toml", listener.port()));
        let text = configuration(listener, http, metrics, sections);
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_roundturn"))
            .arg("--config")
            .arg(&file)
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (lines, log) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let mut program = Self { listener, http, metrics, file, child, log, unheard: RefCell::default() };
        for _ in 0..1000 {
            if program.get(program.http, "/readyz", "").is_some_and(|answer| answer.contains(" 200 ")) {
                return Some(program);
            }
            match program.log.recv_timeout(PATIENCE / 1000) {
                Ok(line) => program.unheard.get_mut().push_back(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    eprintln!("it ended: {:?}", program.unheard);
                    return None;
                }
            }
        }
        None
    }

    /// Writes other sections, and tells it so.
    pub fn reconfigure(&self, sections: &str) {
        std::fs::write(&self.file, configuration(self.listener, self.http, self.metrics, sections)).unwrap();
        self.signal("HUP");
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// The next line of its log that contains `words`; others before it are passed over.
    pub fn says(&self, words: &str) -> String {
        let mut said = Vec::new();
        loop {
            let next = self.unheard.borrow_mut().pop_front();
            match next.ok_or(()).or_else(|()| self.log.recv_timeout(PATIENCE)) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => said.push(line),
                Err(error) => panic!("{error}: no {words:?} in {said:#?}"),
            }
        }
    }

    /// The value of a series.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let page = self.get(self.metrics, "/metrics", "")?;
        page.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }

    /// Waits until `happens`: asks again whenever the log has been silent for a moment.
    pub fn until(&self, mut happens: impl FnMut() -> bool) {
        let happened = (0..1000).any(|_| {
            happens() || {
                while let Some(line) = self.line_within(PATIENCE / 1000) {
                    self.unheard.borrow_mut().push_back(line);
                }
                false
            }
        });
        assert!(happened, "it does not happen");
    }

    fn line_within(&self, moment: Duration) -> Option<String> {
        match self.log.recv_timeout(moment) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Err(error) => panic!("{error}: the program has ended"),
        }
    }

    /// The status of what is at `path`, for whoever shows this token.
    pub fn status(&self, path: &str, token: &str) -> u16 {
        let answer = self.get(self.http, path, &format!("Authorization: Bearer {token}\r\n"));
        answer.and_then(|answer| answer.get(9..12)?.parse().ok()).expect("an answer")
    }

    /// The answer to a POST without a body.
    pub fn post(&self, path: &str) -> String {
        self.ask("POST", self.http, path, "Content-Length: 0\r\n").expect("an answer")
    }

    fn get(&self, from: SocketAddr, path: &str, headers: &str) -> Option<String> {
        self.ask("GET", from, path, headers)
    }

    fn ask(&self, method: &str, from: SocketAddr, path: &str, headers: &str) -> Option<String> {
        let mut stream = TcpStream::connect(from).ok()?;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

fn configuration(listener: SocketAddr, http: SocketAddr, metrics: SocketAddr, sections: &str) -> String {
    format!(
        "[listen]\nturn = [\"{listener}\"]\nturns = []\nhttp = [\"{http}\"]\nmetrics = \"{metrics}\"\n\
         [address]\nexternal = \"127.0.0.1\"\n[shards]\ncount = 2\n{sections}"
    )
}

fn free_tcp_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
