//! A server in a container, of the image that the development server has as well.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testcontainers::core::{IntoContainerPort as _, Mount, WaitFor};
use testcontainers::runners::SyncRunner as _;
use testcontainers::{Container, GenericImage, ImageExt as _};

use super::place;

const PORT: u16 = 5432;

/// Starts it with a setting more, and says where it is reached.
pub(super) fn start(
    project: &Path,
    variables: [(&str, &str); 2],
    setting: &str,
) -> Result<(Container<GenericImage>, SocketAddr), String> {
    let engine = Command::new("docker").arg("info").output();
    if !engine.is_ok_and(|output| output.status.success()) {
        return Err("no container engine answers".to_owned());
    }
    let tag = dev_server::image(project, &|text| eprintln!("{text}")).map_err(|error| error.to_string())?;
    let (name, version) = tag.split_once(':').ok_or("the image has no tag")?;
    let image = GenericImage::new(name, version)
        .with_exposed_port(PORT.tcp())
        .with_wait_for(WaitFor::message_on_stderr("database system is ready to accept connections"))
        .with_cmd(["-c", setting]);
    let image = variables.into_iter().fold(image, |image, (name, value)| image.with_env_var(name, value));
    let image = if place::has_room() {
        // A folder that the image has would keep its mode, for root alone here.
        let memory = Mount::tmpfs_mount("/memory").with_size_bytes(place::MOST.cast_signed()).with_mode(0o1777);
        image.with_mount(memory).with_env_var("PGDATA", "/memory/cluster")
    } else {
        image
    };
    let container = image.start().map_err(|error| error.to_string())?;
    let address = address(&container)?;
    Ok((container, address))
}

/// By the container's own address, if that is possible, since a port of this machine has every byte pass through a proxy, which
/// took a twelfth of the time of all suites.
fn address(container: &Container<GenericImage>) -> Result<SocketAddr, String> {
    let is_reached = |own: &SocketAddr| TcpStream::connect_timeout(own, Duration::from_secs(1)).is_ok();
    if let Some(own) = own_addresses(container.id()).into_iter().find(is_reached) {
        return Ok(own);
    }
    let port = container.get_host_port_ipv4(PORT).map_err(|error| error.to_string())?;
    Ok((Ipv4Addr::LOCALHOST, port).into())
}

/// In all its networks, asked by id: the client looks for that of the network's name, and there is none where the engine calls it
/// `default`.
fn own_addresses(container: &str) -> Vec<SocketAddr> {
    let template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let asked = Command::new("docker").args(["inspect", "--format", template, container]).output();
    let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.split_whitespace().filter_map(|host| Some(SocketAddr::from((host.parse::<IpAddr>().ok()?, PORT)))).collect()
}
