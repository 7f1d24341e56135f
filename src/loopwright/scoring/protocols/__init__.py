"""What clients speak, turned into rows of the model's inputs, and answers turned back: codecs without a transport.

Why it exists: one core scores rows; every protocol is a thin translation in front of it, which can be tested without a
server. In: bodies and headers, and what the replica's settings say of inputs and outputs. Out: columns of inputs by
name (`Columns`), which the core checks and orders, and bodies of answers. Nothing here waits, logs or scores.

    packing       tensors, and their elements in binary
    tensors       the Open Inference Protocol's requests and answers, whatever they came by
    complaints    bodies that do not fit, in the words of refusals
    oip_rest      its JSON, with the binary extension
    oip_grpc      its protobuf messages
    mlflow        the bodies that MLflow's scoring server takes and gives
    openapi       the description of a replica's paths, with body_schemas and swagger; docs_page shows it
    trace         W3C trace context

May import: the rest of scoring's values (settings, answers, refusals); never the service, the HTTP edge or the workers.
"""
