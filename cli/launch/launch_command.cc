#include <memory>

#include "cli/commands.h"
#include "cli/launch/hand_over.h"
#include "cli/launch/launch.h"
#include "cli/launch/tether.h"
#include "common/plain_name.h"
#include "common/units.h"

namespace capstan {

namespace {

// What Slurm and Kubernetes do themselves; empty: nothing of it is asked for.
std::string not_ours(const LaunchArgs& args) {
  if (args.slurm && args.stop) {
    return "--stop ends a job that launch runs over ssh; a job of Slurm ends with scancel JOBID (squeue "
           "shows its number, as sbatch did)";
  }
  if (args.k8s && args.stop) {
    return "--stop ends a job that launch runs over ssh; in Kubernetes a job's objects go with: capstan "
           "launch JOB.yaml --k8s | kubectl delete -f -";
  }
  if (args.slurm && !args.hosts_file.empty()) {
    return "--hosts is for ssh: Slurm chooses its hosts (SBATCH_PARTITION and SBATCH_CONSTRAINT in the "
           "environment say among which)";
  }
  if (args.k8s && !args.hosts_file.empty())
    return "--hosts is for ssh: Kubernetes chooses the hosts of its pods";
  return "";
}

}  // namespace

void add_launch(CLI::App& app, Console console, int& exit_code) {
  auto args = std::make_shared<LaunchArgs>();
  CLI::App* launch = app.add_subcommand("launch", "Run a job's cluster on several hosts, over ssh");
  add_job_option(*launch, args->job);
  launch->add_option("--hosts", args->hosts_file,
                     "A host a line: ADDRESS [scheduler] [servers=N] [workers=N] [zone=NAME] [ssh=USER@HOST] "
                     "[port=N]; without it the job's cluster.hosts");
  launch->add_option("--ssh", args->ssh, "The ssh program and its options, such as 'ssh -i key'");
  launch->add_option("--program", args->program, "capstan on the hosts, where it is not in the PATH");
  launch->add_option(
      "--folder", args->folder,
      "Where nodes run on every host, and the job's paths begin; without it this folder's path");
  launch->add_flag("--copy", args->copy, "Bring this program to every host, into ~/.cache/capstan");
  CLI::Option* dry = launch->add_flag("--dry-run", args->dry_run, "Only print every command");
  CLI::Option* slurm = launch->add_flag(
      "--slurm", args->slurm, "Submit the job to Slurm: writes WORK_DIR/slurm.sh; --dry-run prints it");
  launch->add_flag("--k8s", args->k8s, "Print the job as Kubernetes objects, for kubectl apply -f -")
      ->excludes(slurm);
  launch->add_option("--image", args->image, "With --k8s: the image that holds capstan")
      ->capture_default_str()
      ->check([](const std::string& image) {
        return image.empty() ? "an image has a name, such as registry.example/capstan:1" : "";
      });
  launch->add_flag("--stop", args->stop, "End what is left of this job on the hosts")->excludes(dry);
  launch->add_flag("--resume", args->resume, "Go on from this run's newest checkpoint");
  launch
      ->add_option("--http", args->http_port,
                   "Port of the scheduler's page and metrics, at its host's address; the other nodes' follow")
      ->check(CLI::Range(1, 65535));
  add_keys_option(*launch, args->keys);
  add_insecure_option(*launch, args->keys);
  launch->add_flag("--quiet", args->quiet, "No progress, only the result");
  launch->add_flag("--follow", args->follow, "Show all logs, each line behind its host and node");
  launch->footer("Example: capstan launch configs/movielens.yaml --hosts hosts.txt");
  launch->callback([args, console, &exit_code] {
    if (const std::string wrong = not_ours(*args); !wrong.empty()) {
      console.err << "capstan: " << wrong << "\n";
      exit_code = kExitUsage;
      return;
    }
    exit_code = args->slurm ? submit_to_slurm(*args) : args->k8s ? print_k8s(*args) : launch_job(*args);
  });
}

void add_tether(CLI::App& app, Console console, int& exit_code) {
  auto args = std::make_shared<TetherArgs>();
  auto stop = std::make_shared<bool>(false);
  auto patience = std::make_shared<std::string>("30s");
  CLI::App* tether = app.add_subcommand(
      "tether",
      "Run a node that ends when nobody has written to its stdin for a while (capstan launch does)");
  tether->add_option("--job", args->job, "The job's name")->required();
  tether->add_option("--patience", *patience, "End the node when nothing was read for so long")
      ->capture_default_str();
  tether->add_flag("--stop", *stop, "End all such nodes of the job on this host");
  tether->add_option("command", args->command, "A node's command and its options, after --");
  tether->footer(
      "Example: capstan tether --job movielens -- worker --scheduler tcp://10.1.0.2:7000 --job movielens");
  tether->callback([args, stop, patience, console, &exit_code] {
    const auto pause = parse_duration(*patience);
    const std::string wrong = !pause.ok() ? pause.error().message
                              : !*stop && args->command.empty()
                                  ? "no command: capstan tether --job NAME -- worker …"
                                  : "";
    if (!wrong.empty()) {
      console.err << wrong << "\n";
      exit_code = kExitUsage;
      return;
    }
    args->patience = std::chrono::duration_cast<std::chrono::milliseconds>(*pause);
    if (!*stop) {
      exit_code = run_tether(*args);
      return;
    }
    constexpr std::chrono::seconds kUntilGone{15};
    const int ended = stop_tethers(args->job, kUntilGone);
    console.out << (ended < 0 ? "some nodes do not end" : std::to_string(ended) + " nodes ended") << "\n";
    exit_code = ended < 0 ? kExitFailed : kExitOk;
  });
}

}  // namespace capstan
