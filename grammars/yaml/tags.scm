; Two levels: deeper ones are data more than structure.
(document (block_node (block_mapping (block_mapping_pair key: (flow_node) @name) @definition.key)))

(document
  (block_node
    (block_mapping
      (block_mapping_pair
        value: (block_node
          (block_mapping (block_mapping_pair key: (flow_node) @name) @definition.key))))))
