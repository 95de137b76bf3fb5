//! Paths in a configuration.

use std::path::{Path, PathBuf};

use super::http::{Credentials, HttpConfig, TlsConfig};
use super::receiver::{Kind, PagerDutyKey, TelegramChat};
use super::{Config, Secret};

impl Config {
    /// Resolves relative paths of secrets and certificates against a directory. The patterns of `templates` stay as they
    /// are.
    pub fn resolve(&mut self, directory: &Path) {
        let base = Base(directory);
        base.http(&mut self.global.http);
        let receivers = self.receivers.iter_mut();
        for integration in receivers.flat_map(|receiver| &mut receiver.integrations) {
            base.kind(&mut integration.kind);
        }
    }
}

struct Base<'a>(&'a Path);

impl Base<'_> {
    fn kind(&self, kind: &mut Kind) {
        match kind {
            Kind::Webhook(webhook) => {
                self.secret(&mut webhook.url);
                self.http(&mut webhook.http);
            }
            Kind::Email(email) => {
                let smtp = &mut email.smtp;
                smtp.auth_password
                    .iter_mut()
                    .for_each(|secret| self.secret(secret));
                smtp.auth_secret
                    .iter_mut()
                    .for_each(|secret| self.secret(secret));
                self.tls(&mut smtp.tls);
            }
            Kind::PagerDuty(pagerduty) => {
                let (PagerDutyKey::Routing(key) | PagerDutyKey::Service(key)) = &mut pagerduty.key;
                self.secret(key);
                self.http(&mut pagerduty.http);
            }
            Kind::Slack(slack) => {
                self.secret(&mut slack.api_url);
                self.http(&mut slack.http);
            }
            Kind::Pushover(pushover) => {
                self.secret(&mut pushover.user_key);
                self.secret(&mut pushover.token);
                self.http(&mut pushover.http);
            }
            Kind::Telegram(telegram) => {
                self.secret(&mut telegram.bot_token);
                if let TelegramChat::File(path) = &mut telegram.chat {
                    self.path(path);
                }
                self.http(&mut telegram.http);
            }
            Kind::Discord(discord) => {
                self.secret(&mut discord.webhook_url);
                self.http(&mut discord.http);
            }
            Kind::MsTeams(teams) => {
                self.secret(&mut teams.webhook_url);
                self.http(&mut teams.http);
            }
            Kind::Ntfy(ntfy) => {
                self.secret(&mut ntfy.url);
                ntfy.token.iter_mut().for_each(|secret| self.secret(secret));
                self.http(&mut ntfy.http);
            }
        }
    }

    fn http(&self, http: &mut HttpConfig) {
        match &mut http.credentials {
            Some(Credentials::Basic { password, .. }) => {
                password.iter_mut().for_each(|secret| self.secret(secret));
            }
            Some(Credentials::Authorization { credentials, .. }) => self.secret(credentials),
            None => {}
        }
        self.tls(&mut http.tls);
    }

    fn tls(&self, tls: &mut TlsConfig) {
        for path in [&mut tls.ca_file, &mut tls.cert_file, &mut tls.key_file] {
            path.iter_mut().for_each(|path| self.path(path));
        }
    }

    fn secret(&self, secret: &mut Secret) {
        if let Secret::File(path) = secret {
            let given = path.to_string_lossy().into_owned();
            self.path(path);
            if !vigie_store::is_path(&given, path) {
                *secret = Secret::Hidden(std::mem::take(path));
            }
        }
    }

    fn path(&self, path: &mut PathBuf) {
        *path = self.0.join(&*path);
    }
}
