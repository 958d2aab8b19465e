#include "common/wire/convert.h"

namespace capstan::wire {

void write(Hello::Builder to, const capstan::Hello& from) {
  to.setProtocolVersion(from.protocol_version);
  to.setJobId(from.job_id);
  to.setRole(static_cast<std::uint8_t>(from.role));
  to.setName(from.name);
  to.setIncarnation(from.incarnation);
  to.setEndpoint(from.endpoint);
  to.setHost(from.host);
  to.setZone(from.zone);
  to.setGeneration(from.generation);
  to.setRun(from.run);
  to.setMemoryLimit(from.memory_limit);
}
void read(Hello::Reader from, capstan::Hello& to) {
  to.protocol_version = from.getProtocolVersion();
  to.job_id = to_string(from.getJobId());
  to.role = checked_enum(from.getRole(), Role::kTool);
  to.name = to_string(from.getName());
  to.incarnation = from.getIncarnation();
  to.endpoint = to_string(from.getEndpoint());
  to.host = to_string(from.getHost());
  to.zone = to_string(from.getZone());
  to.generation = from.getGeneration();
  to.run = from.getRun();
  to.memory_limit = from.getMemoryLimit();
}

void write(Welcome::Builder to, const capstan::Welcome& from) {
  to.setGeneration(from.generation);
  to.setNodeId(from.node_id);
  to.setLeaseMs(from.lease_ms);
  to.setGraceMs(from.grace_ms);
  to.setJobText(from.job_text);
  to.setRun(from.run);
  to.setCatchUpRate(from.catch_up_rate);
}
void read(Welcome::Reader from, capstan::Welcome& to) {
  to.generation = from.getGeneration();
  to.node_id = from.getNodeId();
  to.lease_ms = from.getLeaseMs();
  to.grace_ms = from.getGraceMs();
  to.job_text = to_string(from.getJobText());
  to.run = from.getRun();
  to.catch_up_rate = from.getCatchUpRate();
}

void write(Refusal::Builder to, const capstan::Refusal& from) {
  to.setReason(static_cast<std::uint8_t>(from.reason));
  to.setText(from.text);
}
void read(Refusal::Reader from, capstan::Refusal& to) {
  to.reason = checked_enum(from.getReason(), RefusalReason::kOtherRole);
  to.text = to_string(from.getText());
}

}  // namespace capstan::wire
