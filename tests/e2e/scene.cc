#include "tests/e2e/scene.h"

#include <spdlog/fmt/fmt.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "worker/data/generate.h"

namespace capstan {
namespace {

// Where `capstan run` and the role commands put a node's name: behind --name; a scheduler has none.
bool is_node(const RunningProcess& process, const std::string& name) {
  const auto& args = process.args;
  if (name == "scheduler") return args.size() > 1 && args[1] == "scheduler";
  const auto option = std::find(args.begin(), args.end(), "--name");
  return option != args.end() && option + 1 != args.end() && *(option + 1) == name;
}

}  // namespace

Scene::Scene() {
  std::string pattern = (std::filesystem::temp_directory_path() / "capstan_e2e_XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
  job_ = fmt::format("e2e-{}-{}", getpid(), folder_.substr(folder_.size() - 6));
}

Scene::~Scene() {
  for (const RunningProcess& process : processes()) {
    kill(process.pid, SIGKILL);
    std::string words;
    for (const std::string& arg : process.args) words += arg + " ";
    ADD_FAILURE() << "still running: " << words;
  }
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

std::string Scene::write(const std::string& name, const std::string& text) const {
  std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
  std::ofstream(path(name), std::ios::binary) << text;
  return path(name);
}

std::unique_ptr<Process> Scene::start(std::vector<std::string> args, const std::string& program) {
  args.insert(args.begin(), program);
  return std::make_unique<Process>(args, path(fmt::format("process-{}", started_++)), job_);
}

Outcome Scene::run(std::vector<std::string> args, std::chrono::milliseconds patience) {
  const auto process = start(std::move(args));
  const int code = process->wait(patience);
  return {code, process->out(), process->err()};
}

std::optional<pid_t> Scene::find(const std::string& name) const {
  for (const RunningProcess& process : processes()) {
    if (is_node(process, name)) return process.pid;
  }
  return std::nullopt;
}

bool Scene::all_gone(std::chrono::milliseconds patience) const {
  return eventually([this] { return processes().empty(); }, patience);
}

boost::json::object Scene::json(const std::string& name) const {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(text_of(path(name)), error);
  return !error && value.is_object() ? value.as_object() : boost::json::object();
}

std::string Scene::ratings_job(const std::string& train, const std::string& more) const {
  GenerateOptions options;
  options.kind = GenerateKind::kRatings;
  options.out_dir = path("data");
  options.rows = 3000;
  options.users = 150;
  options.items = 80;
  options.seed = 5;
  const auto made = generate(options);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return write("job.yaml", fmt::format(R"(job: {0}
task: ranking
data:
  format: movielens
  train: [{1}/data]
  split: {{method: ratio_by_user, test: 0.2, valid: 0.1}}
  negatives: {{per_positive: 2, sampler: uniform}}
features:
  - {{name: user, column: user, transform: vocab}}
  - {{name: item, column: item, transform: vocab}}
model: {{type: mf, embedding_dim: 8, loss: bpr}}
optimizer:
  sparse: {{type: adagrad, learning_rate: 0.05}}
evaluate: {{at: [10], baselines: [most_popular, item_knn], bootstrap: 100}}
cluster: {{servers: 2, workers: 2, threads: 1, memory_limit: 256MiB, lease: 1500ms}}
work_dir: {1}/work
report: {1}/report.json
train: {2}
{3}
)",
                                       job_, folder_, train, more));
}

std::string Scene::endpoint_in(const std::string& file, Process& process) const {
  std::string endpoint;
  eventually(
      [&] {
        endpoint = text_of(path(file));
        return !endpoint.empty() || process.ended();
      },
      kPatience);
  return endpoint.substr(0, endpoint.find('\n'));
}

boost::json::value at(const boost::json::object& object, const std::string& dotted) {
  const auto dot = dotted.find('.');
  const boost::json::value* value = object.if_contains(dotted.substr(0, dot));
  if (value == nullptr) return nullptr;
  if (dot == std::string::npos) return *value;
  return value->is_object() ? at(value->as_object(), dotted.substr(dot + 1)) : nullptr;
}

double number_at(const boost::json::object& object, const std::string& dotted) {
  const boost::json::value value = at(object, dotted);
  return value.is_number() ? value.to_number<double>() : std::nan("");
}

}  // namespace capstan
