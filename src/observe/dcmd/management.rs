//! `ManagementAgent.*`: the class library's JMX agent, started and stopped.

use super::parse::{Argument, Type};
use super::{Call, Command, Failure, MONITOR};
use crate::exceptions::VmResult;
use crate::heap::access::load_ref;
use crate::heap::layout::Oop;
use crate::heap::strings;
use crate::interpreter::call::call as call_java;
use crate::link::{init, load};
use crate::meta::loader;
use crate::meta::symbol::Symbol;
use crate::meta::well_known::{Known, KnownField};
use crate::sym;
use crate::threads::JavaThread;

/// Calls a static method of `jdk.internal.agent.Agent`, in whose module it is loaded first.
fn call_agent(t: &JavaThread, name: &str, descriptor: &str, options: Option<&str>) -> VmResult<Oop> {
    let modules = load::load_or_no_class_def(t, loader::boot(), Symbol::of("jdk/internal/module/Modules"))?;
    init::initialize(t, modules)?;
    let load_module = modules
        .find_declared(sym!("loadModule"), sym!("(Ljava/lang/String;)Ljava/lang/Module;"))
        .expect("Modules.loadModule is in JDK 17");
    let module = strings::new(t, "jdk.management.agent")?;
    call_java(t, load_module, &[module.address() as u64])?;
    let system = load_ref(Known::ClassLoader.get().mirror(), KnownField::LoaderSystem.offset());
    let agent = load::load_or_no_class_def(t, load::loader_of(t, system), Symbol::of("jdk/internal/agent/Agent"))?;
    init::initialize(t, agent)?;
    let method = agent
        .find_declared(Symbol::of(name), Symbol::of(descriptor))
        .unwrap_or_else(|| panic!("Agent.{name}{descriptor} is not in this class library (JDK 17 is needed)"));
    let result = match options {
        Some(text) => {
            let text = strings::new(t, text)?;
            call_java(t, method, &[text.address() as u64])?
        }
        None => call_java(t, method, &[])?,
    };
    Ok(Oop::from_address(result as usize))
}

const fn text(name: &'static str, description: &'static str) -> Argument {
    Argument::option(name, description, Type::String, None)
}

const fn number(name: &'static str, description: &'static str) -> Argument {
    Argument::option(name, description, Type::Int, None)
}

pub(super) static START: Command = Command {
    name: "ManagementAgent.start",
    description: "Start remote management agent.",
    impact: "Low: No impact",
    permission: None,
    arguments: &[
        text("config.file", "set com.sun.management.config.file"),
        text("jmxremote.host", "set com.sun.management.jmxremote.host"),
        text("jmxremote.port", "set com.sun.management.jmxremote.port"),
        text("jmxremote.rmi.port", "set com.sun.management.jmxremote.rmi.port"),
        text("jmxremote.ssl", "set com.sun.management.jmxremote.ssl"),
        text("jmxremote.registry.ssl", "set com.sun.management.jmxremote.registry.ssl"),
        text("jmxremote.authenticate", "set com.sun.management.jmxremote.authenticate"),
        text("jmxremote.password.file", "set com.sun.management.jmxremote.password.file"),
        text("jmxremote.access.file", "set com.sun.management.jmxremote.access.file"),
        text("jmxremote.login.config", "set com.sun.management.jmxremote.login.config"),
        text("jmxremote.ssl.enabled.cipher.suites", "set com.sun.management.jmxremote.ssl.enabled.cipher.suite"),
        text("jmxremote.ssl.enabled.protocols", "set com.sun.management.jmxremote.ssl.enabled.protocols"),
        text("jmxremote.ssl.need.client.auth", "set com.sun.management.jmxremote.need.client.auth"),
        text("jmxremote.ssl.config.file", "set com.sun.management.jmxremote.ssl.config.file"),
        text("jmxremote.autodiscovery", "set com.sun.management.jmxremote.autodiscovery"),
        number("jdp.port", "set com.sun.management.jdp.port"),
        text("jdp.address", "set com.sun.management.jdp.address"),
        text("jdp.source_addr", "set com.sun.management.jdp.source_addr"),
        number("jdp.ttl", "set com.sun.management.jdp.ttl"),
        number("jdp.pause", "set com.sun.management.jdp.pause"),
        text("jdp.name", "set com.sun.management.jdp.name"),
    ],
    in_mbean: false,
    run: start,
};

fn start(t: &JavaThread, call: &Call<'_>, _: &mut String) -> Result<(), Failure> {
    let arguments = call.command.arguments.iter().filter(|a| call.values.is_given(a.name));
    let option = |a: &Argument| {
        let value = call.values.text(a.name).unwrap_or("");
        format!("com.sun.management.{}={value}", a.name)
    };
    let options: Vec<String> = arguments.map(option).collect();
    call_agent(t, "startRemoteManagementAgent", "(Ljava/lang/String;)V", Some(&options.join(",")))?;
    Ok(())
}

pub(super) static START_LOCAL: Command = Command {
    name: "ManagementAgent.start_local",
    description: "Start local management agent.",
    impact: "Low: No impact",
    permission: None,
    arguments: &[],
    in_mbean: false,
    run: |t, _, _| {
        call_agent(t, "startLocalManagementAgent", "()V", None)?;
        Ok(())
    },
};

pub(super) static STOP: Command = Command {
    name: "ManagementAgent.stop",
    description: "Stop remote management agent.",
    impact: "Low: No impact",
    permission: None,
    arguments: &[],
    in_mbean: false,
    run: |t, _, _| {
        call_agent(t, "stopRemoteManagementAgent", "()V", None)?;
        Ok(())
    },
};

pub(super) static STATUS: Command = Command {
    name: "ManagementAgent.status",
    description: "Print the management agent status.",
    impact: "Low: No impact",
    permission: MONITOR,
    arguments: &[],
    in_mbean: false,
    run: |t, _, out| {
        let status = call_agent(t, "getManagementAgentStatus", "()Ljava/lang/String;", None)?;
        *out += &status.non_null().map_or("Error obtaining management agent status".into(), strings::to_rust);
        out.push('\n');
        Ok(())
    },
};
