#include "cli/launch/hand_over.h"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <set>
#include <thread>

#include "cli/child_process.h"
#include "cli/launch/k8s_manifests.h"
#include "cli/launch/slurm_form.h"
#include "cli/launch/ssh.h"
#include "common/adapters/disk_files.h"
#include "common/adapters/file_keys.h"

namespace capstan {
namespace {

Status publish(const std::string& path, const std::string& text) {
  DiskFiles files;
  return files.publish(path, std::as_bytes(std::span(text)));
}

std::string scheduler_args(const LaunchArgs& args) {
  return args.resume ? " --resume" : "";
}

// Shows what it says. REQUIRES: `log` can be written.
int run_program(const std::vector<std::string>& words, const std::string& log) {
  auto child = ChildProcess::start_program(words.front(), words, log, ChildProcess::LogFile::kNew, -1);
  if (!child.ok()) return complain(child.error(), 1);
  while (child->running()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (const auto said = DiskFiles().read(log); said.ok())
    std::printf("%s", std::string(said->text()).c_str());
  return child->killed() ? 1 : child->exit_code();
}

}  // namespace

int submit_to_slurm(const LaunchArgs& args) {
  const auto loaded = load_job_file(args.job.path, args.job.overrides);
  if (!loaded.ok()) return complain(loaded.error(), 2);
  const JobConfig& job = loaded->config;
  SlurmSettings settings;
  settings.folder = args.folder.empty() ? std::filesystem::current_path().string() : args.folder;
  settings.job_file = job.work_dir + "/job.yaml";
  settings.program = args.program.empty() ? "capstan" : shell_quoted(args.program);
  settings.keys = with_job(args.keys, job.cluster).folder;
  settings.scheduler_args = scheduler_args(args);
  const std::string form = slurm_form(job, settings);
  if (args.dry_run) {
    std::printf("%s", form.c_str());
    return 0;
  }
  if (!settings.keys.empty()) {
    if (const Status made = make_missing_keys(settings.keys); !made.ok()) return complain(made.error(), 1);
  }
  const std::string script = job.work_dir + "/slurm.sh";
  std::error_code error;
  std::filesystem::create_directories(job.work_dir + "/logs", error);
  for (const auto& [path, text] :
       {std::pair(settings.job_file, loaded->effective_yaml), std::pair(script, form)}) {
    if (const Status written = publish(path, text); !written.ok()) return complain(written.error(), 1);
  }
  constexpr int kNotFound = 127;
  const int code = run_program({"sbatch", script}, job.work_dir + "/logs/sbatch.log");
  if (code == kNotFound) {
    std::fprintf(stderr, "there is no sbatch here: submit %s from a host of the Slurm cluster\n",
                 script.c_str());
  }
  return code == 0 ? 0 : 1;
}

int print_k8s(const LaunchArgs& args) {
  const auto loaded = load_job_file(args.job.path, args.job.overrides);
  if (!loaded.ok()) return complain(loaded.error(), 2);
  const JobConfig& job = loaded->config;
  K8sSettings settings{loaded->effective_yaml, args.image, {}, scheduler_args(args)};
  const KeyArgs keys = with_job(args.keys, job.cluster);
  if (!keys.folder.empty()) {
    if (const Status made = make_missing_keys(keys.folder); !made.ok()) return complain(made.error(), 1);
    std::set<std::string> names;
    for (const Role role : {Role::kScheduler, Role::kServer, Role::kWorker}) names.merge(key_files_of(role));
    for (const std::string& file : names) {
      const auto bytes = DiskFiles().read(keys.folder + "/" + file);
      const bool optional = file == kFileKeysName;
      if (optional && !bytes.ok() && bytes.error().code == ErrorCode::kNotFound) continue;
      if (!bytes.ok()) return complain(bytes.error(), 1);
      settings.keys[file] = std::string(bytes->text());
    }
  }
  std::printf("%s", k8s_manifests(job, settings).c_str());
  return 0;
}

}  // namespace capstan
