#include <memory>

#include "cli/commands.h"
#include "cli/role_process.h"
#include "common/endpoint_check.h"
#include "common/plain_name.h"
#include "common/units.h"

namespace capstan {
namespace {

// "64MiB" in bytes, as in the job file.
CLI::Validator as_bytes() {
  const auto in_bytes = [](std::string& text) {
    const auto bytes = parse_bytes(text);
    if (!bytes.ok()) return bytes.error().message;
    text = std::to_string(*bytes);
    return std::string();
  };
  return {in_bytes, "BYTES"};
}

CLI::Validator tcp_endpoint() {
  const auto check = [](const std::string& text) {
    const Status fits = check_endpoint(text, true);
    return fits.ok() ? std::string() : fits.error().message;
  };
  return {check, "tcp://HOST:PORT"};
}

// Processes that are to be found there.
CLI::Validator tcp_endpoints() {
  const auto check = [](const std::string& text) {
    const Status fits = check_endpoints(text, false);
    return fits.ok() ? std::string() : fits.error().message;
  };
  return {check, "tcp://HOST:PORT[,...]"};
}

// "30s" in milliseconds, as in the job file.
CLI::Validator as_milliseconds() {
  const auto in_milliseconds = [](std::string& text) {
    const auto time = parse_duration(text);
    if (!time.ok()) return time.error().message;
    text = std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(*time).count());
    return std::string();
  };
  return {in_milliseconds, "DURATION"};
}

CLI::Validator node_name() {
  const auto check = [](const std::string& text) {
    return is_plain_name(text) ? std::string() : plain_name_rule(text);
  };
  return {check, "NAME"};
}

void add_role_options(CLI::App& command, RoleArgs& role) {
  const bool named = !role.name.empty();
  command
      .add_option("--name", role.name,
                  named ? "The node's name in logs and status"
                        : "The node's name in logs and status, its own in the job; without one ROLE-N where "
                          "Slurm or Kubernetes numbers it, else ROLE-HOST-PID")
      ->check(node_name())
      ->capture_default_str();
  command.add_option("--log", role.log_file, "Write the log here instead of stderr");
  command
      .add_option(
          "--http", role.http,
          "Answer /metrics, /healthz and /readyz here: HOST:PORT; port 0 picks one, the log says which")
      ->check([](const std::string& text) {
        const Status fits = check_page_place(text);
        return fits.ok() ? std::string() : fits.error().message;
      });
  add_keys_option(command, role.keys);
  command.add_option("--threads", role.threads, "Threads to compute with; 0: one a core")
      ->capture_default_str();
}

void add_member_options(CLI::App& command, RoleArgs& role) {
  command
      .add_option("--scheduler", role.scheduler,
                  "Where the scheduler listens: tcp://host:port; several, of which one leads, with commas")
      ->required()
      ->check(tcp_endpoints());
  command
      .add_option("--startup-timeout", role.startup_timeout_ms,
                  "Give up when no scheduler has answered for so long, such as 30s; 0s: never")
      ->transform(as_milliseconds())
      ->default_str("5m");
  command
      .add_option("--max-frame-bytes", role.max_frame_bytes,
                  "Larger frames are refused: the job's cluster.max_frame_bytes, bytes or 64MiB")
      ->transform(as_bytes())
      ->capture_default_str();
  command.add_option("--job", role.job_id, "The job's name; another job's scheduler refuses us")->required();
}

void add_scheduler(CLI::App& app, int& exit_code) {
  auto role = std::make_shared<RoleArgs>();
  auto args = std::make_shared<SchedulerArgs>();
  role->name = "scheduler";
  CLI::App* command = app.add_subcommand("scheduler", "Run a job's scheduler");
  add_job_option(*command, args->job);
  add_insecure_option(*command, role->keys);
  command->add_option("--bind", role->bind, "Where to listen instead of cluster.scheduler: tcp://host:port");
  command->add_option("--endpoint-file", args->endpoint_file, "Write the address here once it listens");
  CLI::Option* resume =
      command->add_flag("--resume", args->resume, "Start from this run's newest checkpoint");
  CLI::Option* resume_from = command->add_option("--resume-from", args->resume_from,
                                                 "Start from this checkpoint, perhaps an earlier run's");
  CLI::Option* recover =
      command->add_flag("--recover", args->recover, "Go on from the journal, beside nodes that still run");
  CLI::Option* rebuild = command->add_flag(
      "--rebuild", args->rebuild,
      "Go on without the journal: from what servers that still run say, and the last checkpoint");
  for (CLI::Option* other : {resume, resume_from, recover}) rebuild->excludes(other);
  for (CLI::Option* other : {resume, resume_from}) recover->excludes(other);
  command
      ->add_option("--without", args->without, "With --rebuild: a server that is given up (may be repeated)")
      ->needs(rebuild)
      ->check(node_name());
  add_role_options(*command, *role);
  command->callback([role, args, &exit_code] { exit_code = run_scheduler(*role, *args); });
}

void add_server(CLI::App& app, int& exit_code) {
  auto role = std::make_shared<RoleArgs>();
  auto server = std::make_shared<ServerArgs>();
  role->bind = "tcp://127.0.0.1:0";
  CLI::App* command = app.add_subcommand("ps", "Run a parameter server node");
  add_member_options(*command, *role);
  add_insecure_option(*command, role->keys);
  command->add_option("--bind", role->bind, "Where to listen; port 0 picks one")->capture_default_str();
  command
      ->add_option(
          "--advertise", server->advertise,
          "The address that others are told, where it is not the one to listen at (port 0: that one's); "
          "without one, and listening at every address, the host's name")
      ->check(tcp_endpoint());
  command
      ->add_option("--zone", server->zone,
                   "What fails together, such as a rack: copies of a shard go to different ones")
      ->check(node_name());
  command
      ->add_option(
          "--memory-limit", server->memory_limit,
          "Memory for rows, if the job's cluster.memory_limit is not less: bytes, or 4GiB; 0: no limit "
          "of its own; without it 70 % of the machine's or the container's")
      ->transform(as_bytes());
  add_role_options(*command, *role);
  command->callback([role, server, &exit_code] { exit_code = run_server(*role, *server); });
}

void add_worker(CLI::App& app, int& exit_code) {
  auto role = std::make_shared<RoleArgs>();
  CLI::App* command = app.add_subcommand("worker", "Run a worker node");
  add_member_options(*command, *role);
  add_role_options(*command, *role);
  command->callback([role, &exit_code] { exit_code = run_worker(*role); });
}

}  // namespace

void add_roles(CLI::App& app, int& exit_code) {
  add_scheduler(app, exit_code);
  add_server(app, exit_code);
  add_worker(app, exit_code);
}

}  // namespace capstan
