//! What option parsing prints, and how it can fail.


use crate::observe::log::Console;

/// The stream a message belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// What parsing prints, in order. It is collected rather than printed so that parsing has no
/// effect outside itself; [`Messages::emit`] prints it.
#[derive(Clone, Default, Debug)]
pub struct Messages {
    entries: Vec<(Stream, Vec<u8>)>,
    /// Where what HotSpot prints through its terminal stream goes.
    pub(super) vm_output: VmOutput,
    /// That output once more, for the log file.
    logged: Vec<u8>,
}

/// `-XX:±DisplayVMOutput`, `-XX:+DisplayVMOutputToStderr`, `-XX:+LogVMOutput`.
#[derive(Clone, Copy, Debug)]
pub(super) struct VmOutput {
    pub display: bool,
    pub to_stderr: bool,
    pub log: bool,
}

impl Default for VmOutput {
    fn default() -> VmOutput {
        VmOutput { display: true, to_stderr: false, log: false }
    }
}

impl Messages {
    pub(super) fn out(&mut self, text: impl AsRef<[u8]>) {
        self.entries.push((Stream::Stdout, text.as_ref().to_vec()));
    }

    pub(super) fn err(&mut self, text: impl AsRef<[u8]>) {
        self.entries.push((Stream::Stderr, text.as_ref().to_vec()));
    }

    /// For what HotSpot prints through its terminal stream.
    pub(super) fn tty(&mut self, text: impl AsRef<[u8]>) {
        if self.vm_output.log {
            self.logged.extend_from_slice(text.as_ref());
        }
        match self.vm_output {
            VmOutput { display: false, .. } => {}
            VmOutput { to_stderr: true, .. } => self.err(text),
            VmOutput { to_stderr: false, .. } => self.out(text),
        }
    }

    /// Writes what `-XX:+LogVMOutput` asks for to `file`: the plain text, without HotSpot's XML
    /// around it. `None`: there is nothing to be written.
    pub(super) fn write_log(&self, file: &std::path::Path) -> Option<std::io::Result<()>> {
        self.vm_output.log.then(|| std::fs::write(file, &self.logged))
    }

    /// What goes to one stream, joined.
    pub fn text(&self, stream: Stream) -> String {
        let parts = self.entries.iter().filter(|(s, _)| *s == stream).map(|(_, text)| text);
        String::from_utf8_lossy(&parts.flatten().copied().collect::<Vec<u8>>()).into_owned()
    }

    /// Both streams in the order of printing, as a terminal shows them.
    pub fn all_text(&self) -> String {
        let parts = self.entries.iter().flat_map(|(_, text)| text);
        String::from_utf8_lossy(&parts.copied().collect::<Vec<u8>>()).into_owned()
    }

    /// Prints everything.
    pub fn emit(&self) {
        for (stream, text) in &self.entries {
            let stream = match stream {
                Stream::Stdout => crate::os::console::Stream::Out,
                Stream::Stderr => crate::os::console::Stream::Err,
            };
            crate::os::console::write(stream, text);
        }
    }
}

impl Console for Messages {
    fn write_out(&mut self, text: &[u8]) -> std::io::Result<()> {
        self.out(text);
        Ok(())
    }

    fn write_err(&mut self, text: &[u8]) -> std::io::Result<()> {
        self.err(text);
        Ok(())
    }
}

/// How the VM ends when its options do not let it start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// `JNI_CreateJavaVM` returns `JNI_ERR`.
    Error,
    /// `JNI_CreateJavaVM` returns `JNI_EINVAL`.
    Invalid,
    /// The process exits with this status: 0 after help texts, 1 where HotSpot reports an
    /// "Error occurred during initialization of VM".
    Exit(i32),
}

impl Outcome {
    /// What `JNI_CreateJavaVM` returns; `None` if the process is to exit instead.
    pub fn jni_code(self) -> Option<i32> {
        match self {
            Outcome::Error => Some(jni_sys::JNI_ERR),
            Outcome::Invalid => Some(jni_sys::JNI_EINVAL),
            Outcome::Exit(_) => None,
        }
    }
}

/// The options were refused, or ask for nothing but to print something.
#[derive(Clone, Debug)]
pub struct OptionError {
    /// Everything printed until then, the reason last.
    pub messages: Messages,
    pub outcome: Outcome,
}

impl OptionError {
    /// Prints the messages; then either exits the process or gives the code that
    /// `JNI_CreateJavaVM` returns.
    pub fn report(&self) -> i32 {
        self.messages.emit();
        match self.outcome {
            Outcome::Exit(status) => std::process::exit(status),
            Outcome::Error => jni_sys::JNI_ERR,
            Outcome::Invalid => jni_sys::JNI_EINVAL,
        }
    }
}

impl std::fmt::Display for OptionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.messages.all_text().trim_end())
    }
}

impl std::error::Error for OptionError {}
