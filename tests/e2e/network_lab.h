// NetworkLab: a host of its own for each node of a test, in network namespaces that a bridge joins, whose
// links can be cut and slowed; and small disks. All of it belongs to this process and those that it starts:
// the machine's own network and mounts are not touched, and the kernel takes everything back when they are
// gone, however they end.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/result.h"

namespace capstan {

class NetworkLab {
 public:
  // This process moves to the bridge, and is back where it was when the lab is destroyed: no cut comes
  // between it and a host. The namespaces' names lie in `folder`. An error says what is missing here: root, a
  // program, the kernel's support.
  static Result<std::unique_ptr<NetworkLab>> make(const std::string& folder,
                                                  const std::vector<std::string>& hosts);
  ~NetworkLab();
  NetworkLab(const NetworkLab&) = delete;
  NetworkLab& operator=(const NetworkLab&) = delete;

  const std::string& address(const std::string& host) const { return hosts_.at(host).address; }
  // What to put before a command's words to run it there; the process stays the same.
  std::vector<std::string> on(const std::string& host) const;

  // Nothing that `from` sends arrives at `to`. Empty: at, or from, any host.
  Status cut(const std::string& from, const std::string& to);
  // What goes to the host and comes from it creeps: by netem where the kernel has it (late and sometimes
  // lost), else by tbf (a narrow link before which bytes queue up). The higher `severity` (0 to 2) the worse.
  Status slow(const std::string& host, std::uint32_t severity);
  Status heal();
  std::string slowness() const { return has_netem_ ? "netem" : "tbf"; }

  // An empty disk of so many bytes.
  static Status mount_disk(const std::string& folder, std::uint64_t bytes);

 private:
  struct Host {
    std::string address, name_file;
  };

  NetworkLab();
  Status build(const std::string& folder, const std::vector<std::string>& hosts);
  Status add_host(const std::string& name, Host host);
  Status limit(const std::string& host, const std::string& how);

  std::string home_folder_;
  int home_root_ = -1, home_network_ = -1, home_mounts_ = -1, bridge_ = -1;
  bool moved_ = false, has_netem_ = false;
  std::map<std::string, Host> hosts_;
  std::set<std::string> slowed_;
};

}  // namespace capstan
