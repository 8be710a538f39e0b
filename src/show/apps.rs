//! The applications, one function for each.

use super::quote::{json, libconfig, lua, shell, xml};
use super::{Block, Facts, TO_CHANGE};

/// An application that uses TURN.
pub struct App {
    /// What `roundturn show` calls it.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it calls itself.
    pub title: &'static str,
    /// How it comes by credentials.
    pub by: By,
    /// The lines.
    pub blocks: fn(&Facts) -> Vec<Block>,
    /// What to do afterwards.
    pub then: &'static str,
}

/// How an application comes by credentials.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// It makes them from the shared secret.
    Secret,
    /// It knows users and passwords only.
    User,
    /// It asks for them over HTTP, or has a user.
    ApiOrUser,
}

/// All of them.
pub static APPS: &[App] = &[
    App {
        name: "synapse",
        aliases: &["matrix", "element"],
        title: "Matrix Synapse",
        by: By::Secret,
        blocks: synapse,
        then: "Restart Synapse. Clients fetch the new servers within turn_user_lifetime; log in anew to have them at once.",
    },
    App {
        name: "nextcloud",
        aliases: &["nextcloud-talk", "talk", "spreed"],
        title: "Nextcloud Talk",
        by: By::Secret,
        blocks: nextcloud,
        then: "Under Administration settings, Talk, the check beside the TURN server shows whether a browser reaches it. Remove entries of the old server there.",
    },
    App {
        name: "jitsi",
        aliases: &["jitsi-meet"],
        title: "Jitsi Meet",
        by: By::Secret,
        blocks: jitsi,
        then: "Restart Prosody. Calls of two and participants behind firewalls use the relay; keep \"external_services\" in modules_enabled of the main host.",
    },
    App {
        name: "prosody",
        aliases: &["xmpp"],
        title: "Prosody",
        by: By::Secret,
        blocks: prosody,
        then: "Add \"turn_external\" to modules_enabled and restart Prosody; `prosodyctl check turn` tries the relay.",
    },
    App {
        name: "ejabberd",
        aliases: &[],
        title: "ejabberd",
        by: By::Secret,
        blocks: ejabberd,
        then: "Reload with `ejabberdctl reload_config`, and remove ejabberd_stun from the listeners: it would hold the same port.",
    },
    App {
        name: "bigbluebutton",
        aliases: &["bbb"],
        title: "BigBlueButton",
        by: By::Secret,
        blocks: bigbluebutton,
        then: "This is the whole file. Restart with `bbb-conf --restart`.",
    },
    App {
        name: "livekit",
        aliases: &["element-call"],
        title: "LiveKit",
        by: By::Secret,
        blocks: livekit,
        then: "Restart LiveKit, and leave its own TURN server off (turn: enabled: false).",
    },
    App {
        name: "janus",
        aliases: &["janus-gateway"],
        title: "Janus",
        by: By::ApiOrUser,
        blocks: janus,
        then: "Restart Janus. This is the relay of Janus itself; browsers are told of theirs by the page that they load.",
    },
    App {
        name: "home-assistant",
        aliases: &["homeassistant", "hass"],
        title: "Home Assistant",
        by: By::User,
        blocks: home_assistant,
        then: "Restart Home Assistant: cameras that stream by WebRTC use it from then on.",
    },
    App {
        name: "netbird",
        aliases: &[],
        title: "NetBird",
        by: By::Secret,
        blocks: netbird,
        then: "Replace the parts of the same names, and restart the management service.",
    },
    App {
        name: "mattermost",
        aliases: &["rtcd", "calls"],
        title: "Mattermost Calls",
        by: By::Secret,
        blocks: mattermost,
        then: "Use the first where calls run through rtcd, the other where the plugin serves them itself; then restart rtcd or the plugin.",
    },
];

impl Facts {
    fn secret(&self) -> &str {
        self.secret.as_ref().map_or(TO_CHANGE, |secret| secret.expose())
    }

    fn user(&self) -> (&str, &str) {
        self.user.as_ref().map_or(("calls", TO_CHANGE), |(name, password)| (name, password.expose()))
    }

    /// `host:port`, an IPv6 address in brackets.
    fn at(&self, port: u16) -> String {
        if self.host.contains(':') { format!("[{}]:{port}", self.host) } else { format!("{}:{port}", self.host) }
    }

    fn stun(&self) -> String {
        format!("stun:{}", self.at(self.turn_port))
    }

    /// Where TURN is, by every way to it.
    fn turn(&self) -> Vec<String> {
        let plain = |transport| format!("turn:{}?transport={transport}", self.at(self.turn_port));
        let mut uris = vec![plain("udp"), plain("tcp")];
        uris.extend(self.tls_port.map(|port| format!("turns:{}?transport=tcp", self.at(port))));
        uris
    }
}

fn block(place: &'static str, lines: String) -> Block {
    Block { place, lines }
}

/// One line for each item.
fn lines<T>(items: impl IntoIterator<Item = T>, line: impl Fn(T) -> String) -> String {
    items.into_iter().map(|item| line(item) + "\n").collect()
}

fn synapse(facts: &Facts) -> Vec<Block> {
    let uris = lines(facts.turn(), |uri| format!("  - {}", json(&uri)));
    let secret = json(facts.secret());
    let text = format!("turn_uris:\n{uris}turn_shared_secret: {secret}\nturn_user_lifetime: 1h\n");
    vec![block("In homeserver.yaml", text)]
}

fn nextcloud(facts: &Facts) -> Vec<Block> {
    let secret = shell(facts.secret());
    let host = facts.at(facts.turn_port);
    let mut occ = format!(
        "sudo -u www-data php occ talk:stun:add {0}\nsudo -u www-data php occ talk:turn:add --secret={secret} turn {0} udp,tcp\n",
        shell(&host)
    );
    if let Some(port) = facts.tls_port {
        let host = shell(&facts.at(port));
        occ += &format!("sudo -u www-data php occ talk:turn:add --secret={secret} turns {host} tcp\n");
    }
    vec![block("In a shell, in Nextcloud's directory", occ)]
}

fn jitsi(facts: &Facts) -> Vec<Block> {
    let host = lua(&facts.host);
    let relay = |kind: &str, port: u16, transport: &str| {
        format!(
            "    {{ type = \"{kind}\", host = {host}, port = {port}, transport = \"{transport}\", secret = true, ttl = 86400, algorithm = \"turn\" }};\n"
        )
    };
    let mut services = format!("    {{ type = \"stun\", host = {host}, port = {} }};\n", facts.turn_port);
    services += &relay("turn", facts.turn_port, "udp");
    services += &relay("turn", facts.turn_port, "tcp");
    services += &facts.tls_port.map(|port| relay("turns", port, "tcp")).unwrap_or_default();
    let text = format!("external_service_secret = {};\nexternal_services = {{\n{services}}};\n", lua(facts.secret()));
    vec![block("In /etc/prosody/conf.avail/YOUR-DOMAIN.cfg.lua, in the place of the lines of the same names", text)]
}

fn prosody(facts: &Facts) -> Vec<Block> {
    let mut text = format!(
        "turn_external_host = {}\nturn_external_port = {}\nturn_external_secret = {}\nturn_external_tcp = true\n",
        lua(&facts.host),
        facts.turn_port,
        lua(facts.secret())
    );
    if let Some(port) = facts.tls_port {
        text += &format!("turn_external_tls_port = {port}\n");
    }
    vec![block("In /etc/prosody/prosody.cfg.lua, among the global settings", text)]
}

fn ejabberd(facts: &Facts) -> Vec<Block> {
    let host = json(&facts.host);
    let service = |kind: &str, port: u16, transport: &str, restricted: bool| {
        format!(
            "      - host: {host}\n        port: {port}\n        type: {kind}\n        transport: {transport}\n        restricted: {restricted}\n"
        )
    };
    let mut services = service("stun", facts.turn_port, "udp", false) + &service("turn", facts.turn_port, "udp", true);
    services += &service("turn", facts.turn_port, "tcp", true);
    services += &facts.tls_port.map(|port| service("turns", port, "tcp", true)).unwrap_or_default();
    let text = format!(
        "  mod_stun_disco:\n    offer_local_services: false\n    credentials_lifetime: 12h\n    secret: {}\n    services:\n{services}",
        json(facts.secret())
    );
    vec![block("In ejabberd.yml, under modules:", text)]
}

fn bigbluebutton(facts: &Facts) -> Vec<Block> {
    let class = "org.bigbluebutton.web.services.turn";
    let bean = |id: &str, class: &str, arguments: &[&str]| {
        let argument = |(index, value): (usize, &&str)| {
            format!("        <constructor-arg index=\"{index}\" value={}/>", xml(value))
        };
        let arguments = lines(arguments.iter().enumerate(), argument);
        format!("    <bean id=\"{id}\" class=\"{class}\">\n{arguments}    </bean>\n")
    };
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<beans xmlns=\"http://www.springframework.org/schema/beans\"
       xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"
       xsi:schemaLocation=\"http://www.springframework.org/schema/beans
                           http://www.springframework.org/schema/beans/spring-beans-2.5.xsd\">
",
    );
    text += &bean("stun0", &format!("{class}.StunServer"), &[&facts.stun()]);
    let mut references = String::new();
    for (index, uri) in facts.turn().iter().enumerate() {
        text += &bean(&format!("turn{index}"), &format!("{class}.TurnServer"), &[facts.secret(), uri, "86400"]);
        references += &format!("                <ref bean=\"turn{index}\"/>\n");
    }
    text += &format!(
        "    <bean id=\"stunTurnService\" class=\"{class}.StunTurnService\">
        <property name=\"stunServers\">
            <set>
                <ref bean=\"stun0\"/>
            </set>
        </property>
        <property name=\"turnServers\">
            <set>
{references}            </set>
        </property>
    </bean>
</beans>
"
    );
    vec![block("In /etc/bigbluebutton/turn-stun-servers.xml", text)]
}

fn livekit(facts: &Facts) -> Vec<Block> {
    let server = |port: u16, protocol: &str| {
        let (host, secret) = (json(&facts.host), json(facts.secret()));
        format!("    - host: {host}\n      port: {port}\n      protocol: {protocol}\n      secret: {secret}\n")
    };
    let mut servers = server(facts.turn_port, "udp") + &server(facts.turn_port, "tcp");
    servers += &facts.tls_port.map(|port| server(port, "tls")).unwrap_or_default();
    vec![block("In LiveKit's config.yaml", format!("rtc:\n  turn_servers:\n{servers}"))]
}

fn janus(facts: &Facts) -> Vec<Block> {
    let place = "In janus.jcfg, in the section nat";
    if let Some((address, key)) = &facts.api {
        let url = libconfig(&format!("http://{address}/turn/credentials"));
        let key = libconfig(key.expose());
        let text = format!(
            "nat: {{\n    turn_rest_api = {url}\n    turn_rest_api_key = {key}\n    turn_rest_api_method = \"GET\"\n}}\n"
        );
        return vec![block(place, text)];
    }
    let (user, password) = facts.user();
    let text = format!(
        "nat: {{\n    stun_server = {host}\n    stun_port = {port}\n    turn_server = {host}\n    turn_port = {port}\n    turn_type = \"udp\"\n    turn_user = {}\n    turn_pwd = {}\n}}\n",
        libconfig(user),
        libconfig(password),
        host = libconfig(&facts.host),
        port = facts.turn_port,
    );
    vec![block(place, text)]
}

fn home_assistant(facts: &Facts) -> Vec<Block> {
    let (user, password) = facts.user();
    let uris = lines(facts.turn(), |uri| format!("        - {}", json(&uri)));
    let text = format!(
        "web_rtc:\n  ice_servers:\n    - url: {}\n    - url:\n{uris}      username: {}\n      credential: {}\n",
        json(&facts.stun()),
        json(user),
        json(password)
    );
    vec![block("In configuration.yaml", text)]
}

fn netbird(facts: &Facts) -> Vec<Block> {
    let text = format!(
        "    \"Stuns\": [\n        {{ \"Proto\": \"udp\", \"URI\": {}, \"Username\": \"\", \"Password\": null }}\n    ],\n    \"TURNConfig\": {{\n        \"Turns\": [\n            {{ \"Proto\": \"udp\", \"URI\": {}, \"Username\": \"\", \"Password\": null }}\n        ],\n        \"CredentialsTTL\": \"12h\",\n        \"Secret\": {},\n        \"TimeBasedCredentials\": true\n    }},\n",
        json(&facts.stun()),
        json(&format!("turn:{}", facts.at(facts.turn_port))),
        json(facts.secret())
    );
    vec![block("In management.json", text)]
}

fn mattermost(facts: &Facts) -> Vec<Block> {
    let turn = facts.turn().iter().map(|uri| json(uri)).collect::<Vec<_>>().join(", ");
    let (stun, secret) = (json(&facts.stun()), json(facts.secret()));
    let rtcd = format!(
        "[rtc]\nice_servers = [{{ urls = [{stun}] }}, {{ urls = [{turn}] }}]\nturn.static_auth_secret = {secret}\nturn.credentials_expiration_minutes = 1440\n"
    );
    let plugin = format!(
        "ICE Servers Configurations:    [{{\"urls\": [{stun}]}}, {{\"urls\": [{turn}]}}]\nTURN Static Auth Secret:       {}\nTURN Credentials Expiration:   1440\n",
        facts.secret()
    );
    vec![
        block("In rtcd's config.toml", rtcd),
        block("Without rtcd, in the System Console under Plugins, Calls", plugin),
    ]
}
