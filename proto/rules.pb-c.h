/* Empty on purpose: the generated code includes this header for rules.proto, whose options only
 * proto/rules.py reads. Debian's protoc-c generates no header for descriptor.proto. */
