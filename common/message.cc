#include "common/message.h"

#include <array>
#include <string_view>

namespace capstan {

Message::Message() = default;
Message::Message(const Message& other) = default;
Message::Message(Message&& other) noexcept = default;
Message& Message::operator=(const Message& other) = default;
Message& Message::operator=(Message&& other) noexcept = default;
Message::~Message() = default;

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kScheduler:
      return "scheduler";
    case Role::kServer:
      return "server";
    case Role::kWorker:
      return "worker";
    case Role::kTool:
      return "tool";
  }
  return "unknown";
}

std::string_view message_name(const Message& message) {
  static constexpr std::array<std::string_view, std::variant_size_v<MessageKinds>> kNames = {
      "hello",
      "welcome",
      "refusal",
      "heartbeat",
      "heartbeat_reply",
      "map_request",
      "map_update",
      "declare_tables",
      "tables_ready",
      "pull",
      "pull_reply",
      "push",
      "push_reply",
      "get_rows",
      "get_rows_reply",
      "worker_ready",
      "work_request",
      "work_grant",
      "no_work",
      "work_progress",
      "work_progress_reply",
      "work_done",
      "work_done_reply",
      "snapshot",
      "snapshot_reply",
      "restore",
      "restore_reply",
      "status_request",
      "status_reply",
      "stop_job",
      "job_ended",
      "tables_request",
      "tables_reply",
      "replicate",
      "replicate_reply",
      "shard_chunk",
      "shard_chunk_reply",
      "learners_ready",
      "promise_request",
      "promise",
      "hand_over",
      "handed_over",
      "change_servers",
      "change_servers_reply",
      "trace_request",
      "trace_reply",
  };
  return kNames[message.index()];
}

}  // namespace capstan
