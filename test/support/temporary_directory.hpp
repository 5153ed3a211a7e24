#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace mysos::test {

/// A directory that anybody may enter, gone with everything in it at the end.
class TemporaryDirectory {
  public:
    TemporaryDirectory()
    {
        std::string pattern = "/tmp/mysos-test-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
        path_ = pattern;
        std::filesystem::permissions(path_, std::filesystem::perms{0755});
    }
    ~TemporaryDirectory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

    /// Writes a file, with the directories on the way, and gives its path.
    [[nodiscard]] std::string write(const std::string& name, const std::string& text) const
    {
        const std::filesystem::path file = std::filesystem::path{path_} / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream{file, std::ios::binary} << text;
        return file;
    }
    /// The same, as a program: `text` follows "#!/bin/sh".
    [[nodiscard]] std::string write_program(const std::string& name, const std::string& text) const
    {
        std::string file = write(name, "#!/bin/sh\n" + text + "\n");
        std::filesystem::permissions(file, std::filesystem::perms{0755});
        return file;
    }
    [[nodiscard]] std::string read(const std::string& name) const
    {
        std::ifstream file{path_ + "/" + name, std::ios::binary};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

  private:
    std::string path_;
};

}  // namespace mysos::test
