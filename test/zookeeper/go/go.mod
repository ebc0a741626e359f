module quorate.test/zookeeper

go 1.13

require github.com/go-zookeeper/zk v1.0.4
