#include "common/mysql/binlog.hpp"

namespace mysos::mysql {
namespace {

constexpr std::size_t header_size = 19;
constexpr unsigned type_at = 4;
constexpr unsigned server_at = 5;
constexpr unsigned size_at = 9;
constexpr unsigned mysql_gtid = 33;
constexpr unsigned mysql_gtid_tagged = 42;
constexpr unsigned mariadb_gtid = 162;
constexpr unsigned mariadb_start_encryption = 164;

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size)
{
    std::uint64_t value = 0;
    for (std::size_t i = size; i > 0; --i) {
        value = value << 8U | static_cast<unsigned char>(bytes[at + i - 1]);
    }
    return value;
}

}  // namespace

std::optional<BinlogEvent> parse_event(std::string_view bytes)
{
    if (bytes.size() < header_size) return std::nullopt;
    BinlogEvent event;
    event.size = number(bytes, size_at, 4);
    if (event.size < header_size) return std::nullopt;
    const auto type = static_cast<unsigned char>(bytes[type_at]);
    event.encrypts = type == mariadb_start_encryption;
    event.is_transaction = type == mysql_gtid || type == mysql_gtid_tagged || type == mariadb_gtid;
    if (type != mariadb_gtid) return event;
    if (bytes.size() < event_prefix_size || event.size < event_prefix_size) return std::nullopt;
    event.begins = GtidList::Entry{
        static_cast<std::uint32_t>(number(bytes, header_size + 8, 4)),
        static_cast<std::uint32_t>(number(bytes, server_at, 4)),
        number(bytes, header_size, 8)};
    return event;
}

}  // namespace mysos::mysql
