//! `POST /sandbox/control`: the commands, and the same as methods of [`Sandbox`].

use serde::Deserialize;

use crate::{
    faults::{Fault, FaultOrder},
    lies::{Lie, LieOrder},
    operation::Operation,
    sandbox::Sandbox,
    state::State,
};

/// What the sandbox can be told. In JSON `{"command": "advanceClock", "ms": 1000}` and so on.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    tag = "command",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Command {
    /// [`Sandbox::advance_clock`]
    AdvanceClock {
        /// Milliseconds; negative ones move the clock back.
        ms: i64,
    },
    /// [`Sandbox::expire_challenges`]
    ExpireChallenges,
    /// [`Sandbox::expire_sessions`]
    ExpireSessions,
    /// [`Sandbox::revoke_sessions`]
    RevokeSessions,
    /// [`Sandbox::fault`]
    Fault {
        /// Any operation if missing.
        #[serde(default)]
        operation: Option<Operation>,
        /// Any leg if missing.
        #[serde(default)]
        leg: Option<u8>,
        /// Once if missing.
        #[serde(default = "once")]
        times: u32,
        /// What is to happen.
        fault: Fault,
    },
    /// [`Sandbox::lie`]
    Lie {
        /// Any operation if missing.
        #[serde(default)]
        operation: Option<Operation>,
        /// What is to be falsified.
        lie: Lie,
    },
    /// [`Sandbox::connect_agent`]
    ConnectAgent {
        /// All agents if missing.
        #[serde(default)]
        agent_id: Option<String>,
    },
    /// [`Sandbox::remove_auth_method`]
    RemoveAuthMethod {
        /// `AuthMethod:<uuid>`
        auth_method_id: String,
    },
    /// [`Sandbox::require_sca`]
    RequireSca {
        /// All customers if missing.
        #[serde(default)]
        customer_id: Option<String>,
        /// `true` if missing.
        #[serde(default = "yes")]
        required: bool,
    },
    /// [`Sandbox::set_unsigned_exports`]
    UnsignedExports {
        /// `true` if missing.
        #[serde(default = "yes")]
        unsigned: bool,
    },
    /// [`Sandbox::rename_member`]
    #[cfg(feature = "conformance")]
    RenameMember {
        /// In an answer of this operation.
        operation: Operation,
        /// JSON pointer of the member: `/data/0/nickname`
        pointer: String,
    },
    /// [`Sandbox::reset`]
    Reset,
}

fn once() -> u32 {
    1
}

fn yes() -> bool {
    true
}

impl Sandbox {
    /// Carries out a command.
    pub fn control(&self, command: Command) {
        match command {
            Command::AdvanceClock { ms } => self.advance_clock(ms),
            Command::ExpireChallenges => self.expire_challenges(),
            Command::ExpireSessions => self.expire_sessions(),
            Command::RevokeSessions => self.revoke_sessions(),
            Command::Fault {
                operation,
                leg,
                times,
                fault,
            } => {
                self.fault(FaultOrder {
                    operation,
                    leg,
                    times,
                    fault,
                });
            }
            Command::Lie { operation, lie } => self.lie(LieOrder { operation, lie }),
            Command::ConnectAgent { agent_id } => self.connect_agent(agent_id.as_deref()),
            Command::RemoveAuthMethod { auth_method_id } => {
                self.remove_auth_method(&auth_method_id);
            }
            Command::RequireSca {
                customer_id,
                required,
            } => self.require_sca(customer_id.as_deref(), required),
            Command::UnsignedExports { unsigned } => self.set_unsigned_exports(unsigned),
            #[cfg(feature = "conformance")]
            Command::RenameMember { operation, pointer } => self.rename_member(operation, pointer),
            Command::Reset => self.reset(),
        }
    }

    /// Moves sandbox time; a negative number moves it back.
    pub fn advance_clock(&self, ms: i64) {
        self.state().clock.advance(ms);
    }

    /// Expires all pending requests, passkey challenges and codes.
    pub fn expire_challenges(&self) {
        self.state().expire_challenges();
    }

    /// Expires all sessions.
    pub fn expire_sessions(&self) {
        self.state().expire_sessions();
    }

    /// Revokes all sessions.
    pub fn revoke_sessions(&self) {
        self.state().revoke_sessions();
    }

    /// Orders a fault for the next requests that it is meant for.
    pub fn fault(&self, order: FaultOrder) {
        self.state().faults.order(order);
    }

    /// Orders a lie for the next answer that it is meant for and that has what it falsifies.
    pub fn lie(&self, order: LieOrder) {
        self.state().lies.order(order);
    }

    /// Connects an agent, or all of them, as redeeming a device code does.
    pub fn connect_agent(&self, agent_id: Option<&str>) {
        for agent in &mut self.state().agents {
            agent.is_connected |= agent_id.is_none_or(|id| id == agent.id);
        }
    }

    /// Removes a credential together with its sessions. An account without any credential takes a
    /// first one unsigned, as a new wallet does.
    pub fn remove_auth_method(&self, id: &str) {
        self.state().remove_credential(id);
    }

    /// Makes a customer, or all of them, one of the EU, whose payments need Strong Customer
    /// Authentication; or no longer.
    pub fn require_sca(&self, customer_id: Option<&str>, required: bool) {
        for customer in &mut self.state().customers {
            if customer_id.is_none_or(|id| id == customer.id) {
                customer.sca.is_required = required;
            }
        }
    }

    /// Whether wallet exports come without a signature, as those of Grid's own sandbox do.
    pub fn set_unsigned_exports(&self, unsigned: bool) {
        self.state().has_unsigned_exports = unsigned;
    }

    /// Renames a member of the next answer of this operation that has it. Unlike a lie, this is not
    /// exempt from validation: it shows that the validation works.
    #[cfg(feature = "conformance")]
    pub fn rename_member(&self, operation: Operation, pointer: String) {
        self.state().renames.order(operation, pointer);
    }

    /// Puts everything back to the seeds: clock, faults, lies and counts too. The enclaves'
    /// and the identity provider's keys and the violations stay.
    pub fn reset(&self) {
        let seeded = State::seeded(self.options());
        let mut state = self.state();
        #[cfg(feature = "conformance")]
        let seeded = State {
            violations: std::mem::take(&mut state.violations),
            ..seeded
        };
        *state = seeded;
    }
}
