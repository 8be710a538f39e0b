//! Settings that are read anew while others are in use: all of them, or none.

use std::path::Path;

use super::gathered::Gathered;
use super::keys::{KEYS, Key};
use super::problem::ConfigError;
use super::reader::default_of;
use super::settings::Settings;

/// What a new reading comes to.
#[derive(Debug)]
pub struct Change {
    /// What is to be used from now on: as written anew, and as before where a change takes a restart.
    pub settings: Settings,
    /// The keys whose values are others now.
    pub changed: Vec<&'static str>,
    /// The keys whose values are to be others after a restart.
    pub restart: Vec<&'static str>,
}

impl Settings {
    /// Reads everything anew, from where [`Settings::load`] looks. Keys that take a restart keep the value that they have
    /// here; the random secret of this start stays what it is.
    ///
    /// # Errors
    /// As [`Settings::load`]. Nothing of what was read is to be used then.
    pub fn reload(
        &self,
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Change, ConfigError> {
        let mut gathered = Gathered::load(path, env.into_iter().collect())?;
        // Whatever is wrong is told, also of keys that are not used yet.
        let mut settings = Self::decide(gathered.clone())?;
        let tls_comes_or_goes = settings.tls.is_some() != self.tls.is_some();
        let takes_restart = |key: &Key| key.takes_restart() || tls_comes_or_goes && key.section() == "tls";
        let differs = KEYS.iter().filter(|key| self.text_of(key.name) != settings.text_of(key.name));
        let (restart, mut changed): (Vec<&Key>, Vec<&Key>) = differs.partition(|key| takes_restart(key));
        if !restart.is_empty() {
            for key in &restart {
                match self.written.0.get(key.name) {
                    Some(node) => gathered.written.insert(key.name, node.clone()),
                    None => gathered.written.remove(key.name),
                };
            }
            settings = Self::decide(gathered)?;
        }
        settings.keep_random(self);
        if self.has_other_secrets(&settings) && !changed.iter().any(|key| key.name.starts_with("auth.secret")) {
            // The file behind it, or systemd's credential.
            changed.extend(KEYS.iter().filter(|key| key.name == "auth.secret_file"));
        }
        if self.tokens != settings.tokens && !changed.iter().any(|key| key.section() == "tokens") {
            // The files behind it.
            changed.extend(KEYS.iter().filter(|key| key.name == "tokens.keys"));
        }
        let names = |keys: Vec<&'static Key>| keys.into_iter().map(|key| key.name).collect();
        Ok(Change { settings, changed: names(changed), restart: names(restart) })
    }

    /// What the key says, or its default, as TOML.
    fn text_of(&self, key: &'static str) -> String {
        self.written.0.get(key).map_or_else(|| default_of(key).value.to_string(), |node| node.value.to_string())
    }

    /// Takes over the random secret that `before` was started with, if there is one.
    fn keep_random(&mut self, before: &Self) {
        let Some(random) = &before.auth.random else { return };
        if self.auth.secret_is_random {
            self.auth.secrets.clear();
        }
        self.auth.secrets.push(random.clone());
        self.auth.random = Some(random.clone());
    }

    fn has_other_secrets(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.auth.secrets, &other.auth.secrets);
        ours.len() != theirs.len() || ours.iter().zip(theirs).any(|(one, other)| one.value != other.value)
    }
}
