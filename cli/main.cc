#include <cstdio>

int main() {
  std::puts("capstan");
  return 0;
}
