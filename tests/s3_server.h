// A real S3 server, OpenStack Swift, as a process of its own for a test.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "common/adapters/s3_exchange.h"
#include "tests/paths.h"
#include "tests/temp_dir.h"

namespace capstan {

// Objects outlive the process: stop() and start() bring the same server back at the same address.
class S3Server {
 public:
  static constexpr const char* kAccessKey = "test:capstan";
  static constexpr const char* kSecret = "secret/with+letters=";

  // Why there is none on this machine; empty: there is.
  static std::string missing() {
    const bool there = access("/usr/lib/python3/dist-packages/swift/obj/server.py", R_OK) == 0;
    return there ? "" : "no S3 server here: scripts/install.sh installs Debian's python3-swift";
  }

  ~S3Server() { stop(); }

  // False: it did not come up; log() says why.
  bool start() {
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) return false;
    const std::string script = (source_dir() / "tests/s3/swift_s3.py").string();
    const std::string folder = folder_.path("swift"), port = std::to_string(port_), log = folder_.path("log");
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(out[1], STDOUT_FILENO);
      dup2(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644), STDERR_FILENO);
      execl("/usr/bin/python3", "python3", script.c_str(), folder.c_str(), port.c_str(), kAccessKey, kSecret,
            static_cast<char*>(nullptr));
      _exit(127);
    }
    close(out[1]);
    std::string line;
    char letter = 0;
    while (read(out[0], &letter, 1) == 1 && letter != '\n') line += letter;
    close(out[0]);
    if (!line.starts_with("listening at http://127.0.0.1:")) return false;
    port_ = std::stoi(line.substr(line.rfind(':') + 1));
    return true;
  }
  void stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  int port() const { return port_; }
  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string log() const { return folder_.read("log"); }

  S3Settings settings() const {
    S3Settings settings;
    settings.endpoint = endpoint();
    settings.access_key = kAccessKey;
    settings.secret_key = kSecret;
    return settings;
  }
  // False: it was refused.
  bool make_bucket(const std::string& bucket) const {
    S3Exchange exchange(settings(), {});
    S3Request request;
    request.method = "PUT";
    request.bucket = bucket;
    const auto response = exchange.run(request);
    return response.ok() && response->good();
  }

 private:
  TempDir folder_;
  pid_t pid_ = -1;
  int port_ = 0;
};

}  // namespace capstan
