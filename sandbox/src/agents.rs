//! Agents and their device codes.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    clock::{Millis, rfc3339},
    errors::{Code, GridError, Reason, Result},
    http::{Answer, GridRequest},
    options::{SandboxOptions, millis},
    state::Grid,
};

pub(crate) struct Agent {
    pub(crate) id: String,
    /// Whether a device code was redeemed.
    pub(crate) is_connected: bool,
    device_codes: Vec<DeviceCode>,
}

struct DeviceCode {
    code: String,
    expires_at: Millis,
    state: CodeState,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum CodeState {
    Unredeemed,
    Redeemed,
    Replaced,
}

impl Agent {
    pub(crate) fn seeded(id: String, code: String, now: Millis, options: &SandboxOptions) -> Self {
        let mut agent = Self {
            id,
            is_connected: false,
            device_codes: Vec::new(),
        };
        agent.replace_device_code(code, now, options);
        agent
    }

    fn replace_device_code(
        &mut self,
        code: String,
        now: Millis,
        options: &SandboxOptions,
    ) -> Value {
        for old in &mut self.device_codes {
            if old.state == CodeState::Unredeemed {
                old.state = CodeState::Replaced;
            }
        }
        let expires_at = now.saturating_add(millis(options.device_code_life));
        let answer = json!({
            "code": code,
            "agentId": self.id,
            "expiresAt": rfc3339(expires_at),
            "redeemed": false,
        });
        self.device_codes.push(DeviceCode {
            code,
            expires_at,
            state: CodeState::Unredeemed,
        });
        answer
    }
}

impl Grid<'_> {
    /// `regenerateAgentDeviceCode`
    pub(crate) fn regenerate_agent_device_code(&mut self, request: &GridRequest) -> Result<Answer> {
        let agent = self
            .state
            .agents
            .iter_mut()
            .find(|agent| agent.id == request.id)
            .ok_or_else(|| GridError::not_found(Reason::AgentNotFound, "no such agent"))?;
        if agent.is_connected {
            return Err(GridError::new(
                Code::Conflict,
                Reason::AgentConnected,
                "the agent has an active connection",
            ));
        }
        let code = agent.replace_device_code(new_device_code(), self.now, self.options);
        Ok(Answer::json(201, code))
    }

    /// `getAgentDeviceCodeStatus`
    pub(crate) fn get_agent_device_code_status(&mut self, request: &GridRequest) -> Result<Answer> {
        let (_, code) = self.device_code(&request.id)?;
        let body = json!({ "code": code.code, "redeemed": code.state == CodeState::Redeemed });
        Ok(Answer::json(200, body))
    }

    /// `redeemAgentDeviceCode`
    pub(crate) fn redeem_agent_device_code(&mut self, request: &GridRequest) -> Result<Answer> {
        let now = self.now;
        let (agent_id, code) = self.device_code(&request.id)?;
        if code.state == CodeState::Redeemed {
            return Err(GridError::invalid_input(
                Reason::DeviceCodeRedeemed,
                "the device code was redeemed before",
            ));
        }
        if now >= code.expires_at {
            return Err(GridError::invalid_input(
                Reason::DeviceCodeExpired,
                "the device code expired",
            ));
        }
        code.state = CodeState::Redeemed;
        for agent in &mut self.state.agents {
            agent.is_connected |= agent.id == agent_id;
        }
        let access_token = format!("gat_{}", Uuid::new_v4().simple());
        let body = json!({
            "agentId": agent_id,
            "agentName": "Payroll Automation Agent",
            "accessToken": access_token,
            "policy": {
                "permissions": ["VIEW_TRANSACTIONS", "CREATE_TRANSFERS"],
                "defaultExecutionMode": "APPROVAL_REQUIRED",
                "spendingLimits": { "currency": "USD", "perTransactionLimit": 50_000 },
            },
        });
        Ok(Answer::json(200, body))
    }

    /// A code that is not replaced, and its agent's id.
    fn device_code(&mut self, code: &str) -> Result<(String, &mut DeviceCode)> {
        for agent in &mut self.state.agents {
            if let Some(found) = agent.device_codes.iter_mut().find(|held| held.code == code) {
                return match found.state {
                    CodeState::Replaced => Err(GridError::not_found(
                        Reason::DeviceCodeReplaced,
                        "the device code was replaced by a newer one",
                    )),
                    CodeState::Unredeemed | CodeState::Redeemed => Ok((agent.id.clone(), found)),
                };
            }
        }
        Err(GridError::not_found(
            Reason::DeviceCodeNotFound,
            "no such device code",
        ))
    }
}

/// `GRID-AGENT-X7K9-M2P4`: letters and digits that are not mistaken for each other.
fn new_device_code() -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    // The first six and last seven bytes of a version 4 UUID are entirely random.
    let bytes = Uuid::new_v4().into_bytes();
    let letters: String = bytes
        .iter()
        .rev()
        .take(8)
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect();
    let (first, second) = letters.split_at_checked(4).unwrap_or((&letters, ""));
    format!("GRID-AGENT-{first}-{second}")
}
